# bash completion for ticks, made by `ticks completion bash`: source it, or put it where
# bash-completion looks, as ~/.local/share/bash-completion/completions/ticks

_ticks_options() {
    case $1 in
        "") echo "--version --help -h" ;;
        login) echo "--client-code --status --json --help -h" ;;
        logout) echo "--help -h" ;;
        stream) echo "--from --strict --mode --shard --duration --until --count --demo --csv --jsonl --candles --overwrite --fsync --events --buffer --on-full --silence-after --check-every --max-attempts --backoff-max --keep-trying --always-open --dashboard --no-dashboard --color -q --quiet -v --verbose --help -h" ;;
        health) echo "--watch --json --timeout --demo --always-open --color --help -h" ;;
        replay) echo "--start --end --symbol --count --strict --unique --speed --skip-idle --loop --candles --csv --jsonl --parquet --float-prices --mode --overwrite --fsync --dashboard --no-dashboard --color -q --quiet -v --verbose --help -h" ;;
        find) echo "--exchange --limit --demo --csv --json --help -h" ;;
        simulate) echo "--port --feed-port --recording --events --speed --rate --seed --fault --accounts --tls --help -h" ;;
        config) echo "--init --overwrite --json --help -h" ;;
        completion) echo "--help -h" ;;
        help) echo "--help -h" ;;
    esac
}

# What an option of a command takes, or "" its other words.
_ticks_takes() {
    case "$1 $2" in
        " ") echo "login logout stream health replay find simulate config completion help" ;;
        "login --client-code") echo "@other" ;;
        "stream ") echo "@symbol" ;;
        "stream --from") echo "@file" ;;
        "stream --mode") echo "ltp quote snap" ;;
        "stream --shard") echo "@other" ;;
        "stream --duration") echo "@other" ;;
        "stream --until") echo "@other" ;;
        "stream --count") echo "@other" ;;
        "stream --csv") echo "@file" ;;
        "stream --jsonl") echo "@file" ;;
        "stream --candles") echo "1m 5m 1h" ;;
        "stream --events") echo "@file" ;;
        "stream --buffer") echo "@other" ;;
        "stream --on-full") echo "drop stop" ;;
        "stream --silence-after") echo "@other" ;;
        "stream --check-every") echo "@other" ;;
        "stream --max-attempts") echo "@other" ;;
        "stream --backoff-max") echo "@other" ;;
        "stream --color") echo "auto always never" ;;
        "health ") echo "@symbol" ;;
        "health --timeout") echo "@other" ;;
        "health --color") echo "auto always never" ;;
        "replay ") echo "@file" ;;
        "replay --start") echo "@other" ;;
        "replay --end") echo "@other" ;;
        "replay --symbol") echo "@symbol" ;;
        "replay --count") echo "@other" ;;
        "replay --speed") echo "max" ;;
        "replay --candles") echo "1m 5m 1h" ;;
        "replay --csv") echo "@file" ;;
        "replay --jsonl") echo "@file" ;;
        "replay --parquet") echo "@file" ;;
        "replay --mode") echo "ltp quote snap" ;;
        "replay --color") echo "auto always never" ;;
        "find ") echo "@other" ;;
        "find --exchange") echo "NSE NFO BSE BFO MCX NCO CDS" ;;
        "find --limit") echo "@other" ;;
        "simulate ") echo "@command" ;;
        "simulate --port") echo "@other" ;;
        "simulate --feed-port") echo "@other" ;;
        "simulate --recording") echo "@file" ;;
        "simulate --events") echo "@file" ;;
        "simulate --speed") echo "max" ;;
        "simulate --rate") echo "@other" ;;
        "simulate --seed") echo "@other" ;;
        "simulate --fault") echo "@other" ;;
        "simulate --accounts") echo "@other" ;;
        "completion ") echo "bash zsh fish" ;;
        "help ") echo "login logout stream health replay find simulate config completion help" ;;
    esac
}

_ticks() {
    local line=${COMP_LINE:0:COMP_POINT} word="" before command="" expected="" ended=""
    local -a words
    read -a words <<<"$line" # not -r: a backslash keeps a space in its word
    if [[ $line != *[[:space:]] ]]; then
        word=${words[${#words[@]} - 1]}
        words=("${words[@]:0:${#words[@]}-1}")
    fi
    for before in "${words[@]:1}"; do
        if [[ -n $expected ]]; then
            expected=""
        elif [[ -z $command ]]; then
            [[ $before == -* ]] || command=$before
        elif [[ $before == -- ]]; then
            ended=1
        elif [[ $before == -* && -z $ended ]]; then
            expected=$(_ticks_takes "$command" "$before")
        fi
    done
    COMPREPLY=()
    if [[ -z $expected && -n $command && $word == --*=* ]]; then
        expected=$(_ticks_takes "$command" "${word%%=*}")
        word=${word#*=}
    elif [[ -z $expected && -n $ended ]]; then
        expected=$(_ticks_takes "$command" "")
    elif [[ -z $expected && $word == -* ]]; then
        expected=$(_ticks_options "$command")
    elif [[ -z $expected ]]; then
        expected=$(_ticks_takes "$command" "")
        [[ $expected == @command ]] && expected=$(_ticks_options "$command")
    fi
    case $expected in
        @file) compopt -o default ;;
        @command) COMPREPLY=($(compgen -c -- "$word")) ;;
        @symbol) _ticks_symbols "${1/#\~/$HOME}" "$word" ;;
        @other) ;;
        *) _ticks_words "$word" $expected ;;
    esac
}

_ticks_words() {
    local typed=$1 one
    for one in "${@:2}"; do
        [[ ${one,,} == "${typed,,}"* ]] && COMPREPLY+=("$one")
    done
}

_ticks_symbols() {
    local typed=$2 quote="" kept="" one
    local -a found
    [[ $typed == [\"\']* ]] && quote=${typed:0:1} typed=${typed:1}
    mapfile -t found < <("$1" __symbols "$typed" 2>/dev/null)
    # Readline replaces what stands after the last colon, by what all candidates share.
    [[ $COMP_WORDBREAKS == *:* ]] && kept=${typed%"${typed##*:}"}
    for one in "${found[@]}"; do
        ((${#found[@]} > 1)) && one=$typed${one:${#typed}}
        one=${one#"$kept"}
        [[ -n $quote ]] || printf -v one %q "$one"
        COMPREPLY+=("$one")
    done
}

complete -F _ticks ticks

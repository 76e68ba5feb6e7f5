"""`ticks completion`: what a shell needs to complete commands, options, values, files and symbols.

The scripts are generated from the commands themselves, so that a key press starts no program; only
symbols are looked up, with `ticks __symbols` (symbols.py). A metavar says what a value is: `A|B`
one of these words, PATH or FILE a file, SYMBOL a symbol, COMMAND one of our commands. The scripts
in `completions/` are this command's output.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from typing import Annotated

import typer
from typer.core import TyperArgument, TyperCommand, TyperOption

from ..registry import SUMMARIES, load_all, options_of

FILE, SYMBOL, COMMAND, OTHER = "@file", "@symbol", "@command", "@other"
_KINDS = {"PATH": FILE, "FILE": FILE, "SYMBOL": SYMBOL, "-- COMMAND": COMMAND}

GENERAL = {"--version": "Show the version and exit.", "--help -h": "Show this message and exit."}
HELP = {"--help -h": GENERAL["--help -h"]}


def takes(param: TyperOption | TyperArgument) -> str:
    """What a value is: words with spaces between them, FILE, SYMBOL, ...; "" for a flag."""
    if isinstance(param, TyperOption) and param.is_flag:
        return ""
    metavar = param.metavar or ""
    if "|" in metavar:
        return " ".join(word for word in metavar.split("|") if word != "N")
    if metavar == "COMMAND":
        return " ".join(SUMMARIES)
    return _KINDS.get(metavar.removesuffix("..."), OTHER)


def arguments_take(command: TyperCommand) -> str:
    """What kind of arguments a command takes besides its options; "" where it takes none."""
    arguments = [param for param in command.params if isinstance(param, TyperArgument)]
    return takes(arguments[0]) if arguments else ""


def names(option: TyperOption) -> list[str]:
    """All spellings of an option, `--no-...` too."""
    return [*option.opts, *option.secondary_opts]


def summary(option: TyperOption) -> str:
    """The first sentence of an option's help."""
    return re.split(r"(?<=\w)\. ", option.help or "")[0].rstrip(".")


# --- bash ----------------------------------------------------------------------------------------

_BASH = r"""# bash completion for ticks, made by `ticks completion bash`: source it, or put it where
# bash-completion looks, as ~/.local/share/bash-completion/completions/ticks

_ticks_options() {
    case $1 in
@OPTIONS@
    esac
}

# What an option of a command takes, or "" its other words.
_ticks_takes() {
    case "$1 $2" in
@TAKES@
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
    # Readline replaces what follows the last colon, by what all candidates share.
    [[ $COMP_WORDBREAKS == *:* ]] && kept=${typed%"${typed##*:}"}
    for one in "${found[@]}"; do
        ((${#found[@]} > 1)) && one=$typed${one:${#typed}}
        one=${one#"$kept"}
        [[ -n $quote ]] || printf -v one %q "$one"
        COMPREPLY+=("$one")
    done
}

complete -F _ticks ticks
"""


def bash_script() -> str:
    """The whole of completions/ticks."""
    options = [_bash_case('""', [name for both in GENERAL for name in both.split()])]
    values = [_bash_case('" "', SUMMARIES)]
    for command in load_all():
        own = [name for option in options_of(command) for name in names(option)]
        options.append(_bash_case(str(command.name), [*own, *" ".join(HELP).split()]))
        if arguments_take(command):
            values.append(_bash_case(f'"{command.name} "', [arguments_take(command)]))
        for option in options_of(command):
            if takes(option):
                patterns = "|".join(f'"{command.name} {name}"' for name in names(option))
                values.append(_bash_case(patterns, [takes(option)]))
    return _BASH.replace("@OPTIONS@", "\n".join(options)).replace("@TAKES@", "\n".join(values))


def _bash_case(pattern: str, words: list[str] | dict[str, str]) -> str:
    return f'        {pattern}) echo "{" ".join(words)}" ;;'


# --- zsh -----------------------------------------------------------------------------------------

_ZSH = r"""#compdef ticks
# zsh completion for ticks, made by `ticks completion zsh`: put it into a folder of $fpath as _ticks

_ticks() {
    local ticks=$words[1] curcontext=$curcontext state line
    local -A opt_args
    _arguments -C -S \
@GENERAL@ \
        '1: :->command' '*:: :->arguments'
    case $state in
        command)
            local -a commands=(
@COMMANDS@
            )
            _describe -t commands command commands
            ;;
        arguments)
            case $words[1] in
@ARGUMENTS@
            esac
            ;;
    esac
}

_ticks_symbols() {
    local -a found
    found=(${(f)"$(${~ticks} __symbols ${(Q)PREFIX} 2>/dev/null)"})
    compadd -M 'm:{[:lower:][:upper:]}={[:upper:][:lower:]}' -a found
}

if [[ $funcstack[1] == _ticks ]]; then
    _ticks "$@"
else
    compdef _ticks ticks
fi
"""
_ZSH_ACTIONS = {FILE: "_files", SYMBOL: "_ticks_symbols", OTHER: " ", COMMAND: "_normal"}


def zsh_script() -> str:
    """The whole of completions/_ticks."""
    general = [_zsh_spec(both.split(), help_text) for both, help_text in GENERAL.items()]
    commands = [shlex.quote(f"{name}:{text.rstrip('.')}") for name, text in SUMMARIES.items()]
    arguments = [_zsh_command(command) for command in load_all()]
    return (
        _ZSH.replace("@GENERAL@", _lines(general, 8, " \\"))
        .replace("@COMMANDS@", _lines(commands, 16))
        .replace("@ARGUMENTS@", "\n".join(arguments))
    )


def _zsh_command(command: TyperCommand) -> str:
    specs = [_zsh_option(option) for option in options_of(command)]
    specs += [_zsh_spec(both.split(), text) for both, text in HELP.items()]
    if kind := arguments_take(command):
        dots = "::" if kind == COMMAND else ":"
        specs.append(f"'*{dots}{_zsh_word(kind)}:{_zsh_action(kind)}'")
    return (
        f"                {command.name})\n                    _arguments -s -S \\\n"
        f"{_lines(specs, 24, ' ' + chr(92))}\n                    ;;"
    )


def _zsh_option(option: TyperOption) -> str:
    kind = takes(option)
    if not kind:
        return _zsh_spec(names(option), summary(option))
    repeated = "*" if option.multiple else ""
    value = f":{_zsh_word(option.metavar or '')}:{_zsh_action(kind)}"
    return _zsh_spec([f"{repeated}{name}=" for name in names(option)], summary(option), value)


def _zsh_spec(spelled: list[str], text: str, value: str = "") -> str:
    """One argument of `_arguments`: what excludes it, its spellings, its help, its value."""
    text = text.rstrip(".").replace("[", "(").replace("]", ")")
    if len(spelled) == 1:
        return shlex.quote(f"{spelled[0]}[{text}]{value}")
    return f"'({' '.join(spelled)})'{{{','.join(spelled)}}}{shlex.quote(f'[{text}]{value}')}"


def _zsh_word(text: str) -> str:
    return text.removeprefix("@").replace(":", r"\:")


def _zsh_action(kind: str) -> str:
    return _ZSH_ACTIONS.get(kind, f"({kind})")


def _lines(items: list[str], indent: int, end: str = "") -> str:
    return f"{end}\n".join(" " * indent + item for item in items)


# --- fish ----------------------------------------------------------------------------------------

_FISH = r"""# fish completion for ticks, made by `ticks completion fish`: put it into
# ~/.config/fish/completions/ticks.fish

function __ticks_symbols
    set -l words (commandline -opc)
    $words[1] __symbols (commandline -ct | string unescape) 2>/dev/null
end

complete -c ticks -f
"""
_FISH_VALUES = {FILE: " -rF", OTHER: " -x", SYMBOL: " -xa '(__ticks_symbols)'"}
_FISH_ARGUMENTS = {
    FILE: " -F",
    SYMBOL: " -a '(__ticks_symbols)'",
    OTHER: "",
    COMMAND: " -a '(contains -- -- (commandline -opc); and __fish_complete_command)'",
}


def fish_script() -> str:
    """The whole of completions/ticks.fish."""
    first = "complete -c ticks -n __fish_use_subcommand"
    lines = [
        *(f"{first}{_fish_names(both.split())} -d {_fish(text)}" for both, text in GENERAL.items()),
        *(f"{first} -a {name} -d {_fish(text)}" for name, text in SUMMARIES.items()),
    ]
    for command in load_all():
        own = f"complete -c ticks -n '__fish_seen_subcommand_from {command.name}'"
        if kind := arguments_take(command):
            lines.append(own + _FISH_ARGUMENTS.get(kind, f" -a '{kind}'"))
        lines += [own + line for option in options_of(command) for line in _fish_option(option)]
        lines += [f"{own}{_fish_names(both.split())} -d {_fish(HELP[both])}" for both in HELP]
    return _FISH + "\n".join(lines) + "\n"


def _fish_option(option: TyperOption) -> Iterator[str]:
    kind = takes(option)
    value = _FISH_VALUES.get(kind, f" -xa '{kind}'" if kind else "")
    for spelled in filter(None, (option.opts, option.secondary_opts)):
        yield f"{_fish_names(spelled)}{value} -d {_fish(summary(option))}"


def _fish_names(spelled: list[str]) -> str:
    return "".join(
        f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in spelled
    )


def _fish(text: str) -> str:
    escaped = text.rstrip(".").replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


# --- the command ---------------------------------------------------------------------------------

SCRIPTS: dict[str, Callable[[], str]] = {
    "bash": bash_script,
    "zsh": zsh_script,
    "fish": fish_script,
}


def _shell(name: str) -> str:
    if name not in SCRIPTS:
        raise typer.BadParameter(f"{name!r} is not supported; there are {', '.join(SCRIPTS)}")
    return name


Shell = Annotated[
    str,
    typer.Argument(
        metavar="|".join(SCRIPTS), parser=_shell, help="Shell to generate completion for."
    ),
]


def completion(shell: Shell) -> None:
    """Print the completion script for a shell.

    Completes commands, options, values, files, and the symbols of the cached instruments.

    Examples:
      ticks completion bash > ~/.local/share/bash-completion/completions/ticks
      ticks completion zsh > ~/.zfunc/_ticks
      ticks completion fish > ~/.config/fish/completions/ticks.fish
    """
    print(SCRIPTS[shell](), end="")

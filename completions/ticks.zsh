#compdef ticks
# zsh completion for ticks, made by `ticks completion zsh`: put it into a folder of $fpath as _ticks

_ticks() {
    local ticks=$words[1] curcontext=$curcontext state line
    local -A opt_args
    _arguments -C -S \
        '--version[Show the version and exit]' \
        '(--help -h)'{--help,-h}'[Show this message and exit]' \
        '1: :->command' '*:: :->arguments'
    case $state in
        command)
            local -a commands=(
                'login:Log in to the broker and save the session, or show the saved one'
                'logout:End the session at the broker and delete it here'
                'stream:Stream ticks of SYMBOL... to stdout or files until stopped'
                'health:Check login, network, instruments and feed, and say how to fix each fault'
                'replay:Play recordings to stdout or files, at their own pace or any other'
                'find:List the instruments that match TEXT, best match first'
                'simulate:Run a SmartAPI on this machine: login, instruments and a live feed, no account'
                'config:Show every setting and where its value comes from, or write a config.toml'
                'completion:Print the completion script for a shell'
                'help:Show the help of ticks, or of a command'
            )
            _describe -t commands command commands
            ;;
        arguments)
            case $words[1] in
                login)
                    _arguments -s -S \
                        '--client-code=[Angel One client code]:CODE: ' \
                        '--status[Show who is logged in, until when, and where that is saved]' \
                        '--json[Print the session'"'"'s status as JSON]' \
                        '(--help -h)'{--help,-h}'[Show this message and exit]'
                    ;;
                logout)
                    _arguments -s -S \
                        '(--help -h)'{--help,-h}'[Show this message and exit]'
                    ;;
                stream)
                    _arguments -s -S \
                        '*--from=[Watch list: one symbol a line, # starts a comment; - is stdin]:FILE:_files' \
                        '--strict[Exit when a name of a watch list cannot be subscribed; otherwise it is skipped]' \
                        '--mode=[Fields per tick: ltp, quote or snap]:ltp|quote|snap:(ltp quote snap)' \
                        '--shard=[Only the I-th of N parts of the watch list]:I/N: ' \
                        '--duration=[Stop after this long: 90s, 5m, 1h30m]:DURATION: ' \
                        '--until=[Stop at this time (IST): 15:30 or 2026-11-23T15:30]:TIME: ' \
                        '--count=[Stop after N ticks]:N: ' \
                        '--demo[Use a simulated broker on this machine; no account needed]' \
                        '--csv=[Write CSV to PATH; - is stdout]:PATH:_files' \
                        '--jsonl=[Write JSON lines to PATH; - is stdout]:PATH:_files' \
                        '--candles=[Write bars of this width instead of ticks: open, high, low, close, volume]:1m|5m|1h:(1m 5m 1h)' \
                        '--overwrite[Replace an existing file instead of appending to it]' \
                        '--fsync[fsync after every write, so that a power cut cannot lose written rows]' \
                        '--events=[Write the connection'"'"'s history to PATH as JSON lines]:PATH:_files' \
                        '--buffer=[Ticks held between socket and outputs; when full, the oldest are dropped and counted]:N: ' \
                        '--on-full=[When the buffer is full: drop the oldest ticks, or stop with exit code 6]:drop|stop:(drop stop)' \
                        '--silence-after=[Silence that counts as a fault in market hours]:DURATION: ' \
                        '--check-every=[How often the feed'"'"'s health is checked]:DURATION: ' \
                        '--max-attempts=[Reconnect attempts before giving up]:N: ' \
                        '--backoff-max=[Longest wait between attempts]:DURATION: ' \
                        '--keep-trying[Never give up: no limit on attempts]' \
                        '--always-open[Treat silence as a fault at any hour]' \
                        '(--dashboard --no-dashboard)'{--dashboard,--no-dashboard}'[Draw a live dashboard on stderr]' \
                        '--color=[When to use colour; auto: on a terminal, unless NO_COLOR is set]:auto|always|never:(auto always never)' \
                        '(-q --quiet)'{-q,--quiet}'[Print errors only]' \
                        '(-v --verbose)'{-v,--verbose}'[Log every event; show tracebacks of unexpected errors]' \
                        '(--help -h)'{--help,-h}'[Show this message and exit]' \
                        '*:symbol:_ticks_symbols'
                    ;;
                health)
                    _arguments -s -S \
                        '--watch[Keep running: repeat the checks and follow the running streams until stopped]' \
                        '--json[Print the results as JSON; with --watch, one line of it every second]' \
                        '--timeout=[Longest wait for the feed in each check]:DURATION: ' \
                        '--demo[Use a simulated broker on this machine; no account needed]' \
                        '--always-open[Treat silence as a fault at any hour]' \
                        '--color=[When to use colour; auto: on a terminal, unless NO_COLOR is set]:auto|always|never:(auto always never)' \
                        '(--help -h)'{--help,-h}'[Show this message and exit]' \
                        '*:symbol:_ticks_symbols'
                    ;;
                replay)
                    _arguments -s -S \
                        '--start=[Skip what was received before this time (IST): 09:15 on each day, or 2026-11-20T09:15]:TIME: ' \
                        '--end=[Skip what was received at this time or later]:TIME: ' \
                        '*--symbol=[Only this instrument; can be repeated]:SYMBOL:_ticks_symbols' \
                        '--count=[Stop after N ticks]:N: ' \
                        '--strict[Stop at the first damaged row, with exit code 6]' \
                        '--unique[Merge recordings of one feed: each tick once, from whichever recorder had it first]' \
                        '--speed=[N times as fast as it was received, or max: as fast as it can be written]:N|max:(max)' \
                        '--skip-idle[Skip silences of more than a minute]' \
                        '--loop[Repeat forever]' \
                        '--candles=[Write bars of this width instead of ticks: open, high, low, close, volume]:1m|5m|1h:(1m 5m 1h)' \
                        '--csv=[Write CSV to PATH; - is stdout]:PATH:_files' \
                        '--jsonl=[Write JSON lines to PATH; - is stdout]:PATH:_files' \
                        '--parquet=[Convert to a Parquet file (needs pyarrow)]:PATH:_files' \
                        '--float-prices[Parquet: prices as doubles, which load faster, instead of exact decimals]' \
                        '--mode=[The columns of CSV output]:ltp|quote|snap:(ltp quote snap)' \
                        '--overwrite[Replace an existing file instead of appending to it]' \
                        '--fsync[fsync after every write, so that a power cut cannot lose written rows]' \
                        '(--dashboard --no-dashboard)'{--dashboard,--no-dashboard}'[Draw a live dashboard on stderr]' \
                        '--color=[When to use colour; auto: on a terminal, unless NO_COLOR is set]:auto|always|never:(auto always never)' \
                        '(-q --quiet)'{-q,--quiet}'[Print errors only]' \
                        '(-v --verbose)'{-v,--verbose}'[Log every event; show tracebacks of unexpected errors]' \
                        '(--help -h)'{--help,-h}'[Show this message and exit]' \
                        '*:file:_files'
                    ;;
                find)
                    _arguments -s -S \
                        '--exchange=[Only instruments on this exchange]:NSE|NFO|BSE|BFO|MCX|NCO|CDS:(NSE NFO BSE BFO MCX NCO CDS)' \
                        '--limit=[Maximum number of results]:N: ' \
                        '--demo[Use a simulated broker on this machine; no account needed]' \
                        '--csv[Print CSV with a header]' \
                        '--json[Print a JSON array]' \
                        '(--help -h)'{--help,-h}'[Show this message and exit]' \
                        '*:other: '
                    ;;
                simulate)
                    _arguments -s -S \
                        '--port=[Port of REST and instrument master; 0 takes a free one]:N: ' \
                        '--feed-port=[Port of the feed; 0 takes a free one]:N: ' \
                        '--recording=[Play this recording instead of a made-up market]:FILE:_files' \
                        '--events=[The events of that recording: repeat its disconnects too]:FILE:_files' \
                        '--speed=[Play the recording N times as fast]:N|max:(max)' \
                        '--rate=[Packets a second of each subscribed instrument]:N: ' \
                        '--seed=[Repeat the prices of an earlier run exactly]:N: ' \
                        '*--fault=[Make something go wrong: 20s:silence:45s, 1000ticks:drop, connect:refuse:429x2, 20s:halt:NSE:45m, login:C, ... An invalid value prints the full syntax]:WHEN\:WHAT: ' \
                        '--accounts=[Client codes, each with its own credentials and three connections]:N: ' \
                        '--tls[Serve https and wss, with a throw-away certificate]' \
                        '(--help -h)'{--help,-h}'[Show this message and exit]' \
                        '*::command:_normal'
                    ;;
                config)
                    _arguments -s -S \
                        '--init[Write a config.toml with every key, commented out]' \
                        '--overwrite[With --init: replace an existing file]' \
                        '--json[Print the settings as JSON]' \
                        '(--help -h)'{--help,-h}'[Show this message and exit]'
                    ;;
                completion)
                    _arguments -s -S \
                        '(--help -h)'{--help,-h}'[Show this message and exit]' \
                        '*:bash zsh fish:(bash zsh fish)'
                    ;;
                help)
                    _arguments -s -S \
                        '(--help -h)'{--help,-h}'[Show this message and exit]' \
                        '*:login logout stream health replay find simulate config completion help:(login logout stream health replay find simulate config completion help)'
                    ;;
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

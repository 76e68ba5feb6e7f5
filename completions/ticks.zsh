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
                'stream:Stream ticks of SYMBOL... to stdout or files until told to stop'
                'health:Check login, network, instruments and feed, and say what to do about each fault'
                'replay:Play recordings to stdout or files, at the pace they were received or any other'
                'find:List the instruments that fit TEXT, the best first'
                'simulate:Run a SmartAPI on this machine: login, instruments and a live feed, no account'
                'config:Show every setting and where its value comes from, or write a config.toml'
                'completion:Print the completion script for a shell'
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
                        '*--from=[A watch list, one symbol a line, # comments; - is stdin]:FILE:_files' \
                        '--strict[Exit when a name of a watch list cannot be subscribed; otherwise it is skipped]' \
                        '--mode=[How much each tick tells]:ltp|quote|snap:(ltp quote snap)' \
                        '--shard=[Only the I-th of N parts of the watch list]:I/N: ' \
                        '--duration=[End after this long: 90s, 5m, 1h30m]:DURATION: ' \
                        '--until=[End at this time, in India: 15:30, 2026-11-23T15:30]:TIME: ' \
                        '--count=[End after N ticks]:N: ' \
                        '--demo[Play against a simulated broker on this machine; no account is needed]' \
                        '--csv=[CSV to PATH; - is stdout]:PATH:_files' \
                        '--jsonl=[JSON lines to PATH; - is stdout]:PATH:_files' \
                        '--candles=[Write bars of this width instead of ticks: open, high, low, close, volume]:1m|5m|1h:(1m 5m 1h)' \
                        '--overwrite[Replace an existing file instead of appending to it]' \
                        '--fsync[Have every write on the disk before the next: a power cut takes no written row]' \
                        '--events=[The connection'"'"'s history as JSON lines]:PATH:_files' \
                        '--buffer=[Ticks held between socket and outputs before the oldest are dropped, counted]:N: ' \
                        '--on-full=[What a full buffer does: drop the oldest, or stop with exit code 6]:drop|stop:(drop stop)' \
                        '--silence-after=[Silence that counts as a fault in market hours]:DURATION: ' \
                        '--check-every=[How often the feed'"'"'s health is checked]:DURATION: ' \
                        '--max-attempts=[Attempts to reconnect before the feed is given up]:N: ' \
                        '--backoff-max=[Longest wait between attempts]:DURATION: ' \
                        '--keep-trying[Never give the feed up]' \
                        '--always-open[Silence is a fault at any hour]' \
                        '(--dashboard --no-dashboard)'{--dashboard,--no-dashboard}'[Draw a live dashboard on stderr]' \
                        '(-q --quiet)'{-q,--quiet}'[Say nothing but errors]' \
                        '(-v --verbose)'{-v,--verbose}'[Tell every event; tracebacks]' \
                        '(--help -h)'{--help,-h}'[Show this message and exit]' \
                        '*:symbol:_ticks_symbols'
                    ;;
                health)
                    _arguments -s -S \
                        '--watch[Stay: repeat the checks and follow the running streams until told to stop]' \
                        '--json[The findings as JSON on stdout; with --watch a line of it each second]' \
                        '--timeout=[Longest wait for the feed in each check]:DURATION: ' \
                        '--demo[Play against a simulated broker on this machine; no account is needed]' \
                        '--always-open[Silence is a fault at any hour]' \
                        '(--help -h)'{--help,-h}'[Show this message and exit]' \
                        '*:symbol:_ticks_symbols'
                    ;;
                replay)
                    _arguments -s -S \
                        '--start=[Leave out what was received before this time, in India: 09:15 on each day, or 2026-11-20T09:15]:TIME: ' \
                        '--end=[Leave out what was received at this time or later]:TIME: ' \
                        '*--symbol=[Only this instrument; may be given several times]:SYMBOL:_ticks_symbols' \
                        '--count=[End after N ticks]:N: ' \
                        '--strict[Stop at the first damaged row, with exit code 6]' \
                        '--unique[Merge recordings of one feed: each tick once, from whichever recorder had it first]' \
                        '--speed=[N times as fast as it was received; max: as fast as it is taken]:N|max:(max)' \
                        '--skip-idle[Spend no time on silence over a minute]' \
                        '--loop[Begin again at the end, for ever]' \
                        '--candles=[Write bars of this width instead of ticks: open, high, low, close, volume]:1m|5m|1h:(1m 5m 1h)' \
                        '--csv=[CSV to PATH; - is stdout]:PATH:_files' \
                        '--jsonl=[JSON lines to PATH; - is stdout]:PATH:_files' \
                        '--parquet=[Convert to a Parquet file (needs pyarrow)]:PATH:_files' \
                        '--float-prices[Parquet: prices as doubles, which load faster, instead of exact decimals]' \
                        '--mode=[The columns of CSV output]:ltp|quote|snap:(ltp quote snap)' \
                        '--overwrite[Replace an existing file instead of appending to it]' \
                        '--fsync[Have every write on the disk before the next: a power cut takes no written row]' \
                        '(--dashboard --no-dashboard)'{--dashboard,--no-dashboard}'[Draw a live dashboard on stderr]' \
                        '(-q --quiet)'{-q,--quiet}'[Say nothing but errors]' \
                        '(-v --verbose)'{-v,--verbose}'[Tell every event; tracebacks]' \
                        '(--help -h)'{--help,-h}'[Show this message and exit]' \
                        '*:file:_files'
                    ;;
                find)
                    _arguments -s -S \
                        '--exchange=[Only what trades there]:NSE|NFO|BSE|BFO|MCX|NCO|CDS:(NSE NFO BSE BFO MCX NCO CDS)' \
                        '--limit=[At most so many]:N: ' \
                        '--csv[As CSV with a header]' \
                        '--json[As a JSON array]' \
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
                        '--init[Write a config.toml that names and explains every key]' \
                        '--overwrite[With --init: replace the file that is there]' \
                        '--json[The settings as JSON on stdout]' \
                        '(--help -h)'{--help,-h}'[Show this message and exit]'
                    ;;
                completion)
                    _arguments -s -S \
                        '(--help -h)'{--help,-h}'[Show this message and exit]' \
                        '*:bash zsh fish:(bash zsh fish)'
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

"""The entry point of `ticks` and `python -m ticks.cli`."""

from __future__ import annotations

import io
import os
import sys

_STDIN, _STDOUT, _STDERR = range(3)


def main() -> None:
    """Run the program; completion of symbols is answered without loading it."""
    check_platform(sys.platform)
    occupy_standard_streams()
    try:  # Ctrl-C while modules are imported; after that exit_codes.py reports it
        if sys.argv[1:2] == ["__symbols"]:
            from .symbols import answer

            answer(sys.argv[2:])
            return
        from .app import main as program

        program()
    except KeyboardInterrupt:
        print("ticks: interrupted", file=sys.stderr)
        sys.exit(130)


def check_platform(platform: str) -> None:
    """Exit with an explanation where imports of Unix modules (fcntl, termios) would fail."""
    if platform == "win32":
        print(
            "ticks: Windows is supported through WSL only\n"
            "  try: wsl --install, then install and run ticks inside WSL",
            file=sys.stderr,
        )
        sys.exit(2)


def occupy_standard_streams() -> None:
    """Open what a parent closed (`2>&-`), so that no socket or file of ours gets its number.

    Messages to a closed stderr go nowhere; writing data to a closed stdout fails, as it should.
    """
    for number, how in ((_STDIN, os.O_RDONLY), (_STDOUT, os.O_RDONLY), (_STDERR, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, how)
    if sys.stdin is None:
        sys.stdin = open(_STDIN, encoding="utf-8")  # noqa: SIM115  (as long as the program lives)
    if sys.stdout is None:
        sys.stdout = open(_STDOUT, "w", encoding="utf-8")  # noqa: SIM115  (as above)
    if sys.stderr is None:
        sys.stderr = open(_STDERR, "w", encoding="utf-8")  # noqa: SIM115  (as above)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A table with lines on a terminal that has none (LANG, PYTHONIOENCODING) is a table still.
        sys.stdout.reconfigure(errors="replace")


if __name__ == "__main__":
    main()

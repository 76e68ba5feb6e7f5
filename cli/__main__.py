"""What the command `ticks` and `python -m ticks.cli` run."""

from __future__ import annotations

import os
import sys

_STDIN, _STDOUT, _STDERR = range(3)


def main() -> None:
    """The program; a shell that asks for symbols is answered without loading it."""
    check_platform(sys.platform)
    occupy_standard_streams()
    try:  # a Ctrl-C while modules are loaded: from then on, exit_codes.py says the same
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
    """Ends with words where an import of what only Unix has (fcntl, termios) would end us."""
    if platform == "win32":
        print(
            "ticks: plain Windows is not supported: ticks needs what only Unix systems have\n"
            "  try: install WSL (wsl --install), then install and run ticks inside it",
            file=sys.stderr,
        )
        sys.exit(2)


def occupy_standard_streams() -> None:
    """Open what a parent closed (`2>&-`), lest a socket or a file of ours get its number.

    What is said to a closed stderr goes nowhere; data for a closed stdout fail, as they should.
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


if __name__ == "__main__":
    main()

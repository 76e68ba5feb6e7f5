"""What the command `ticks` and `python -m ticks.cli` run."""

from __future__ import annotations

import sys


def main() -> None:
    """The program; a shell that asks for symbols is answered without loading it."""
    if sys.argv[1:2] == ["__symbols"]:
        from .symbols import answer

        answer(sys.argv[2:])
        return
    from .app import main as program

    program()


if __name__ == "__main__":
    main()

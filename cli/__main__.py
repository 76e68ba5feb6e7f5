"""`python -m ticks.cli` is `ticks`."""

from .app import main

if __name__ == "__main__":
    main()

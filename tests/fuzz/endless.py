"""All fuzz tests, again and again with fresh draws, until one fails or the time is up.

python tests/fuzz/endless.py [--seconds 3600] [-k EXPRESSION]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description="Fuzzes for as long as you like.")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("-k", dest="expression", default="")
    asked = parser.parse_args()
    command = [sys.executable, "-m", "pytest", str(Path(__file__).parent), "-q", "-x"]
    command += ["--hypothesis-profile=endless", "--timeout=0", "-k", asked.expression]
    end_s, rounds = time.monotonic() + asked.seconds, 0
    while time.monotonic() < end_s:
        if code := subprocess.run(command, check=False).returncode:
            sys.exit(code)
        rounds += 1
        print(f"{rounds} rounds of 3,000 examples of each test: nothing found", flush=True)


if __name__ == "__main__":
    main()

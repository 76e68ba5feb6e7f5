"""Which changes of the pure files no test notices: one run of mutmut over each, with its own tests.

    python -m venv /tmp/mutmut && /tmp/mutmut/bin/pip install -e ".[test]" "mutmut>=3.2"
    /tmp/mutmut/bin/pip uninstall -y angel-ticks     # the copy is tested, not the clone
    /tmp/mutmut/bin/python tools/mutants.py [NAME...]

NAME is a key of `SUITES`; without one all are run, which takes hours. It works on a copy in a
temporary folder that it names: `mutmut show MUTANT`, run there, shows what a survivor changed. Only
tests that are not slow take part, so what the simulated days alone would notice counts as survived.

mutmut imports first and changes then: what runs while a module is loaded stays as it was. So each
change of a function that survived is written into the copy, and its tests are run anew.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

CLONE = Path(__file__).parents[1]
FEED, MARKET, WIRE, ROWS = (f"tests/adapter/{room}" for room in ("feed", "market", "wire", "rows"))
NAMES = "tests/adapter/instruments"
SUITES = {
    "lifecycle": ("feed/lifecycle.py", f"{FEED}/test_lifecycle.py", f"{FEED}/test_connection.py"),
    "backoff": ("feed/backoff.py", f"{FEED}/test_backoff.py"),
    "tracker": ("feed/tracker.py", f"{FEED}/test_tracker.py"),
    "state": ("market/state.py", f"{MARKET}/test_state.py"),
    "evidence": ("market/evidence.py", f"{MARKET}/test_evidence.py", f"{MARKET}/test_state.py"),
    "losses": ("market/losses.py", f"{MARKET}/test_losses.py", f"{MARKET}/test_state.py"),
    "clock": ("market/clock.py", f"{MARKET}/test_clock.py"),
    "frames": ("wire/frames.py", f"{WIRE}/test_frames.py"),
    "packet": ("wire/packet.py", f"{WIRE}/test_packet.py"),
    "encode": ("rows/encode.py", f"{ROWS}/test_encode.py"),
    "texts": ("rows/texts.py", f"{ROWS}/test_texts.py"),
    "decode": ("rows/decode.py", f"{ROWS}/test_decode.py"),
    "candles": ("rows/candles.py", f"{ROWS}/test_candles.py"),
    "naming": ("instruments/naming.py", f"{NAMES}/test_naming.py"),
    "spellings": ("instruments/spellings.py", f"{NAMES}/test_spellings.py"),
}
PROJECT = """
[project]
name = "mutants"
version = "0"
[tool.pytest.ini_options]
addopts = ["--import-mode=importlib", "-p", "no:cacheprovider", "-m", "not slow"]
pythonpath = ["tests", "tests/adapter/feed", "tests/adapter/market"]
markers = ["slow: left out"]
timeout = 60
[tool.mutmut]
source_paths = ["src/ticks/adapter/{file}"]
pytest_add_cli_args_test_selection = {tests}
also_copy = ["src", "tests"]
"""
MUTMUT = str(Path(sys.executable).with_name("mutmut"))
NOTICED = ("killed", "timeout", "killed in a process of its own")
_CACHE = re.compile(r"^ *@(lru_)?cache\b.*\n", re.MULTILINE)
_SURVIVED = re.compile(r"^ +(\S+): (\w[\w ]*)$", re.MULTILINE)


def run(name: str, folder: Path) -> str:
    """Mutate one file; the score in a line, and the mutants that no test noticed."""
    file, *tests = SUITES[name]
    for package in ("adapter", "cli"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CLONE / package, folder / "src/ticks" / package, ignore=ignored)
    shutil.copytree(CLONE / "tests", folder / "tests", ignore=ignored)
    mutated = folder / "src/ticks/adapter" / file
    mutated.write_text(_CACHE.sub("", mutated.read_text()))  # a warm one would hide mutants
    (folder / "pyproject.toml").write_text(PROJECT.format(file=file, tests=tests))
    with (folder / "log").open("wb") as log:
        subprocess.run([MUTMUT, "run"], cwd=folder, stdout=log, stderr=log, check=False)
    listed = subprocess.run(
        [MUTMUT, "results", "--all", "true"], cwd=folder, capture_output=True, text=True, check=True
    )
    found = dict(_SURVIVED.findall(listed.stdout))
    original = mutated.read_text()
    for mutant, end in found.items():
        is_function = "ǁ" not in mutant  # of methods `mutmut apply` takes the first of that name
        if end not in NOTICED and is_function and _is_noticed(mutant, tests, folder):
            found[mutant] = "killed in a process of its own"
        mutated.write_text(original)
    ends = Counter(found.values())
    survivors = [mutant for mutant, end in found.items() if end not in NOTICED]
    score = 1 - len(survivors) / len(found) if found else 0.0
    line = f"{file}: {score:.1%} of {len(found)} noticed ({dict(ends)}), in {folder}"
    return "\n".join([line, *(f"    {mutant}" for mutant in survivors)])


def _is_noticed(mutant: str, tests: list[str], folder: Path) -> bool:
    """Whether the tests of a new process fail with this change in the copy."""
    subprocess.run([MUTMUT, "apply", mutant], cwd=folder, capture_output=True, check=True)
    environ = {**os.environ, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"}
    pytest = [sys.executable, "-m", "pytest", "-x", "-q", *tests]
    run = subprocess.run(pytest, cwd=folder, env=environ, capture_output=True, check=False)
    return run.returncode != 0


def main() -> None:
    for name in sys.argv[1:] or SUITES:
        print(run(name, Path(tempfile.mkdtemp(prefix=f"mutants-{name}-"))), flush=True)


if __name__ == "__main__":
    main()

"""The program's first steps, with standard streams that a parent closed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ticks.cli.__main__ import check_platform


def shell(words: str, tmp_path: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'"$1" -m ticks.cli {words}', "sh", sys.executable],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, **more},
        timeout=60,
    )


@pytest.mark.parametrize("redirected", ["<&-", "2>&-", "<&- 2>&-"])
def test_closed_streams_that_are_not_needed_do_no_harm(redirected: str, tmp_path: Path) -> None:
    ran = shell(f"--version {redirected}", tmp_path)
    assert ran.returncode == 0
    assert ran.stdout.startswith("ticks ")


def test_what_a_closed_stderr_misses_does_not_land_among_the_data(tmp_path: Path) -> None:
    ran = shell("stream 2>&-", tmp_path)
    assert ran.returncode == 2
    assert "no symbol given" not in ran.stdout


def test_a_closed_stdout_is_an_output_that_fails(tmp_path: Path) -> None:
    ran = shell("--version >&-", tmp_path)
    assert ran.returncode == 6
    assert ran.stderr.startswith("ticks: stdout cannot be written")
    assert len(ran.stderr.splitlines()) == 2


def test_what_the_terminal_has_no_letters_for_is_replaced(tmp_path: Path) -> None:
    ran = shell("help find | cat", tmp_path, PYTHONIOENCODING="ascii")
    assert (ran.returncode, ran.stderr) == (0, "")
    program = "import ticks.cli.__main__ as p; p.occupy_standard_streams(); print('\u2500')"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert ran.stdout == "?\n"


def test_plain_windows_is_refused_in_words_before_anything_is_imported(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        check_platform("win32")
    assert ended.value.code == 2
    assert "WSL" in capfd.readouterr().err
    for platform in ("linux", "darwin"):
        check_platform(platform)


def test_what_only_unix_has_is_not_imported_before_the_platform_is_checked() -> None:
    program = (
        "import sys; sys.modules.update(dict.fromkeys(('fcntl', 'termios', 'pwd', 'grp')));"
        "import ticks.cli.__main__ as program; sys.platform = 'win32'; program.main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 2
    assert ran.stderr.startswith("ticks: Windows is supported through WSL only")


def test_a_ctrl_c_while_modules_are_loaded_has_no_traceback() -> None:
    program = (
        "import sys, ticks.cli.__main__ as program\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'ticks.cli.app': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "program.main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ran.returncode, ran.stderr) == (130, "ticks: interrupted\n")

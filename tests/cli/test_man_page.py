"""The manual page is that of the tree, names everything, and is clean roff."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ticks.cli.exit_codes import ExitCode
from ticks.cli.man_page import EXIT_CODES, man_page
from ticks.cli.registry import SUMMARIES, load_all, options_of

PAGE = Path(__file__).parents[2] / "docs" / "ticks.1"


def test_the_page_in_the_tree_is_that_of_the_commands() -> None:
    made_by = "python -m ticks.cli.man_page > docs/ticks.1"
    assert PAGE.read_text(encoding="utf-8") == man_page(), made_by


def test_every_command_option_and_exit_code_is_named() -> None:
    text = man_page().replace(r"\-", "-").replace(r"\(aq", "'")
    for name in SUMMARIES:
        assert f".SS ticks {name}" in text
    for command in load_all():
        for option in options_of(command):
            for spelled in (*option.opts, *option.secondary_opts):
                assert spelled in text
            assert not option.envvar or f"variable {option.envvar}" in text
    assert set(EXIT_CODES) == set(ExitCode)


def test_no_line_of_text_is_taken_for_a_command() -> None:
    known = (".TH ", ".SH ", ".SS ", ".B ", ".PP", ".TP", ".nf", ".fi")
    for line in man_page().splitlines():
        assert not line.startswith("'")
        assert not line.startswith(".") or line.startswith(known)


def test_roff_finds_nothing_to_warn_of() -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed here")
    command = ["groff", "-man", "-Tutf8", "-ww", "-z", str(PAGE)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stderr == ""

"""Pages that are drawn from the code say what the code does."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_page_of_the_lifecycle_is_the_one_that_the_table_draws() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "lifecycle_page.py"))
    drawn = tool["page"]()
    assert (ROOT / "docs" / "lifecycle.md").read_text(encoding="utf-8") == drawn


def test_the_page_of_the_lifecycle_shows_every_entry_of_the_table() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "lifecycle_page.py"))
    shown = {(state.phase, type(event)) for _, state, event in tool["situations"]()}
    assert set(tool["TABLE"]) <= shown

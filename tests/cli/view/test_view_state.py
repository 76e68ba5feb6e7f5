"""How a screen is looked at before any key."""

from __future__ import annotations

from dataclasses import fields

from ticks.cli.view.view_state import UNTOUCHED, Sort


def test_before_any_key_the_whole_table_is_shown_from_its_top_and_nothing_is_held() -> None:
    values = {field.name: getattr(UNTOUCHED, field.name) for field in fields(UNTOUCHED)}
    assert values.pop("sort") is Sort.AUTO
    assert not any(values.values())

"""What the keys have changed of a screen: pure values, made by keys and read by the views."""

from __future__ import annotations

from dataclasses import dataclass

from ...adapter.selection import Sort

__all__ = ["UNTOUCHED", "Sort", "ViewState"]


@dataclass(frozen=True, slots=True)
class ViewState:
    """The view of a screen.

    `has_keys`: keys are read, so the foot names them. `first_row`: how far the table is scrolled,
    in instruments. `chain_number`: which chain comes first, counted on past the last one and
    before the first one. `chain_offset`: how far it is scrolled from the money, in strikes, down
    (positive) or up. `is_filtering`: letters go into `filter_text` until Enter or Escape.
    `is_held`: the screen does not change, for `held_s` seconds so far; the recording goes on.
    `is_paused`: a replay is paused.
    """

    has_keys: bool = False
    first_row: int = 0
    chain_number: int = 0
    chain_offset: int = 0
    sort: Sort = Sort.AUTO
    filter_text: str = ""
    is_filtering: bool = False
    is_held: bool = False
    held_s: float = 0.0
    shows_help: bool = False
    shows_chain: bool = False
    is_paused: bool = False

    @property
    def chooses(self) -> bool:
        """Whether keys decide which instruments are shown."""
        return bool(
            self.first_row or self.filter_text or self.shows_chain or self.sort is not Sort.AUTO
        )


UNTOUCHED = ViewState()
"""The view before any key."""

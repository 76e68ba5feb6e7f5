"""What text from elsewhere may do to a terminal."""

from __future__ import annotations

from ticks.cli.printable import printable


def test_words_from_elsewhere_cannot_change_the_terminal() -> None:
    assert printable("closed: \x1b[2J\r\nbye\u202e ₹") == "closed: ?[2J??bye? ₹"

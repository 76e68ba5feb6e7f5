from __future__ import annotations

import pytest

from ticks.adapter.similarity import similar


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("--mod", ["--from", "--mode", "--dashboard"], "--mode"),
        ("TICKS_SILENT_AFTER", ["TICKS_SILENCE_AFTER"], "TICKS_SILENCE_AFTER"),
        ("Silence_After", ["check-every", "silence-after"], "silence-after"),
        ("straem", ["login", "stream"], "stream"),
    ],
)
def test_a_misspelled_word_is_recognised(word: str, known: list[str], meant: str) -> None:
    assert similar(word, known) == meant


def test_what_is_not_alike_is_not_guessed() -> None:
    assert similar("--fault", ["--from", "--mode", "--dashboard"]) is None

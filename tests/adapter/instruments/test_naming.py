from __future__ import annotations

import pytest

from ticks.adapter.errors import UsageError
from ticks.adapter.instruments.naming import (
    Aliases,
    exchange_type_of,
    folded,
    loose_key,
    name_key,
    read_name,
)


@pytest.mark.parametrize("text", ["Nifty 50", "nifty50", " NIFTY_50 ", "NIFTY   50", "nifty\t50"])
def test_folded_names_know_neither_case_nor_spaces_nor_underscores(text: str) -> None:
    assert folded(text) == "NIFTY50"
    assert read_name(text).key == "NIFTY50"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("nifty 50", "NIFTY 50"),
        ("NIFTY\u00a0  50", "NIFTY 50"),
        ("nifty_50", "NIFTY 50"),
        ("bajaj\u2013auto", "BAJAJ-AUTO"),
        ("\u201cNIFTY\u201d", "NIFTY"),
        ("'\"NIFTY\"'", "NIFTY"),
        ("\ufeffNIFTY\u200b", "NIFTY"),
        ("m&m", "M&M"),
    ],
)
def test_case_quotes_runs_of_spaces_and_kinds_of_dashes_do_not_count(text: str, key: str) -> None:
    assert name_key(text) == key


@pytest.mark.parametrize(
    "text", ["BAJAJ-AUTO", "bajaj auto", "BAJAJ_AUTO", "bajajauto", "BAJAJ&AUTO"]
)
def test_loosely_hyphen_ampersand_and_space_do_not_count_either(text: str) -> None:
    assert loose_key(text) == "BAJAJAUTO"


@pytest.mark.parametrize(
    ("text", "exchange_type", "kind", "name"),
    [
        ("NSE:RELIANCE", 1, "", "RELIANCE"),
        ("bse:500325", 3, "", "500325"),
        ("nse_cm|2885", 1, "", "2885"),
        ("NSE|2885", 1, "", "2885"),
        ("nfo : nifty fut", 2, "", "NIFTY FUT"),
        ("ncdex:X", 7, "", "X"),
        ("NSE_INDEX|Nifty 50", 1, "index", "NIFTY 50"),
        ("NSE_EQ|SBIN", 1, "share", "SBIN"),
        ("NSE:NIFTY50-INDEX", 1, "index", "NIFTY50"),
        ("^NSEI", None, "index", "NSEI"),
        ("RELIANCE.NS", 1, "", "RELIANCE"),
        ("reliance.bo", 3, "", "RELIANCE"),
        ("NIFTY-I.NFO", 2, "", "NIFTY-I"),
        ("NSE:RELIANCE.BO", 1, "", "RELIANCE.BO"),
        ("NIFTY 22SEP 402.5 CE", None, "", "NIFTY 22SEP 402.5 CE"),
        ("RELIANCE", None, "", "RELIANCE"),
        ("", None, "", ""),
        ("NSE:", 1, "", ""),
        (".NS", None, "", ".NS"),
    ],
)
def test_an_exchange_may_stand_before_the_name_or_behind_it(
    text: str, exchange_type: int | None, kind: str, name: str
) -> None:
    wanted = read_name(text)
    assert (wanted.exchange_type, wanted.kind, wanted.name) == (exchange_type, kind, name)
    assert wanted.unknown_exchange == ""


@pytest.mark.parametrize(("text", "exchange"), [("NYSE:IBM", "NYSE"), ("X|Y", "X"), (":Y", ":")])
def test_what_is_no_exchange_is_known_to_be_none(text: str, exchange: str) -> None:
    wanted = read_name(text)
    assert (wanted.unknown_exchange, wanted.exchange_type, wanted.name) == (exchange, None, text)


@pytest.mark.parametrize(
    ("name", "number"),
    [("NSE", 1), ("nfo", 2), ("bse_fo", 4), ("NCO", 7), ("cde_fo", 13), ("5", 5), ("XX", None)],
)
def test_exchanges_go_by_their_names_the_wires_names_and_numbers(
    name: str, number: int | None
) -> None:
    assert exchange_type_of(name) == number


def test_text_that_no_encoding_can_hold_is_read_all_the_same() -> None:
    assert read_name("NIF\udcffTY").key == "NIF?TY"


@pytest.mark.parametrize(("length", "is_too_long"), [(64, False), (65, True), (100_000, True)])
def test_a_name_of_more_than_64_characters_is_too_long_and_cut(
    length: int, is_too_long: bool
) -> None:
    wanted = read_name("A" * length)
    assert wanted.is_too_long == is_too_long
    assert len(wanted.name) <= 65


def test_an_alias_stands_for_its_spelling_in_any_case_and_through_another() -> None:
    aliases = Aliases({"bn": "BANKNIFTY", "mine": "bn", "hedge": "NIFTY monthly 24000 PE"})
    assert read_name("BN", aliases).name == "BANKNIFTY"
    assert read_name(" Mine ", aliases).name == "BANKNIFTY"
    assert read_name("hedge", aliases).name == "NIFTY MONTHLY 24000 PE"
    assert read_name("bn fut", aliases).name == "BN FUT"
    mine = read_name("Mine", aliases)
    assert (mine.text, mine.alias, mine.quoted) == (
        "BANKNIFTY",
        "Mine",
        "'BANKNIFTY' (alias 'Mine')",
    )


@pytest.mark.parametrize(
    ("spellings", "kind"),
    [
        ({"a": "a"}, "alias-loop"),
        ({"a": "b", "b": "A"}, "alias-loop"),
        ({"x": "a", "a": "b", "b": "c", "c": "a"}, "alias-loop"),
        ({"bn": "NIFTY", "BN": "BANKNIFTY"}, "alias-twice"),
        ({"": "NIFTY"}, "alias-empty"),
        ({"a": " "}, "alias-empty"),
    ],
)
def test_an_alias_that_leads_nowhere_or_in_a_circle_is_refused(
    spellings: dict[str, str], kind: str
) -> None:
    with pytest.raises(UsageError) as caught:
        Aliases(spellings)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("text", "exchanges"),
    [
        ("X", None),
        ("NSE:X", (2, 13)),
        ("BSE:X", (4,)),
        ("BFO:X", (4,)),
        ("MCX:X", (5,)),
        ("NSE_EQ|X", ()),
        ("^X", ()),
    ],
)
def test_a_contract_of_nse_may_lie_on_nfo_or_cds(text: str, exchanges: object) -> None:
    assert read_name(text).contract_exchanges == exchanges

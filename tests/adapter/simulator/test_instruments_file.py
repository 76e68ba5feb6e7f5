from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta

import pytest

from ticks.adapter.instruments.master import Master
from ticks.adapter.simulator.instruments_file import listings, master_json

MONDAY = date(2026, 11, 23)
DAYS = [MONDAY + timedelta(days=n) for n in range(0, 400, 17)]


@pytest.mark.parametrize("today", DAYS)
def test_on_every_day_of_a_year_every_segment_is_there_and_keys_are_unique_but_for_one(
    today: date,
) -> None:
    listed = [each.instrument for each in listings(today)]
    assert 1500 < len(listed) < 2200
    assert {each.exchange for each in listed} == {"NSE", "BSE", "NFO", "BFO", "MCX", "NCO", "CDS"}
    assert len({each.key for each in listed}) == len(listed) - 1
    twice = {name for name, times in Counter(map(str, listed)).items() if times > 1}
    assert twice == {"BSE:SENSEX", "BSE:BANKEX"}


def test_the_file_is_a_json_array_of_texts_with_a_few_others() -> None:
    records = json.loads(master_json(listings(MONDAY)))
    others = {key for each in records for key in each if not isinstance(each[key], str)}
    assert others == {"is_cas_enabled", "surveillance", "trade_unit"}


def test_the_client_s_reader_of_masters_can_use_every_record() -> None:
    master = Master(master_json(listings(MONDAY, extra=10)))
    rows = list(master.rows())
    assert (len(rows), master.skipped) == (len(listings(MONDAY)) + 10, 0)

"""The two clocks, and Indian time."""

import subprocess
import sys
import time
from datetime import datetime, timedelta

import pytest

from ticks.adapter.clock import IST, SystemClock, ist_time


def test_nanoseconds_become_indian_wall_time_to_the_microsecond() -> None:
    opening_ns = 1_668_051_900_123_456_789
    assert ist_time(opening_ns).isoformat() == "2022-11-10T09:15:00.123456+05:30"


def test_the_epoch_is_half_past_five_in_india() -> None:
    assert ist_time(0).isoformat() == "1970-01-01T05:30:00+05:30"


def test_a_time_before_the_epoch_counts_its_fraction_forward() -> None:
    assert ist_time(-1).isoformat() == "1970-01-01T05:29:59.999999+05:30"


def test_india_has_one_offset_all_year() -> None:
    offsets = {datetime(2026, month, 1, tzinfo=IST).utcoffset() for month in range(1, 13)}
    assert offsets == {timedelta(hours=5, minutes=30)}


def test_the_systems_clock_counts_in_the_units_it_says() -> None:
    clock = SystemClock()
    seconds, wall_ns = clock.now_s(), clock.wall_ns()
    assert clock.now_s() >= seconds
    assert abs(ist_time(wall_ns) - datetime.now(IST)) < timedelta(minutes=1)


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="made of Linux's namespaces")
def test_the_monotonic_clock_goes_on_while_the_machine_sleeps() -> None:
    """In a namespace of a machine that has slept for 1000 s."""
    slept = ["unshare", "--user", "--map-root-user", "--time", "--boottime", "1000"]
    if subprocess.run([*slept, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no time namespace may be made here")
    code = (
        "import time; from ticks.adapter.clock import SystemClock;"
        " print(SystemClock().now_s() - time.monotonic())"
    )
    ran = subprocess.run([*slept, sys.executable, "-c", code], capture_output=True, check=True)
    assert float(ran.stdout) == pytest.approx(1000, abs=1)

from __future__ import annotations

import base64

import pytest

from ticks.adapter.auth.totp import code_at, next_window_s
from ticks.adapter.errors import TotpSecretError

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("wall_s", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_rfc_6238(wall_s: int, code: str) -> None:
    assert code_at(RFC_SECRET, wall_s) == code


def test_a_secret_may_be_written_with_blanks_dashes_padding_and_small_letters() -> None:
    loose = " ".join(RFC_SECRET[i : i + 4] for i in range(0, 16, 4)).lower() + "-" + RFC_SECRET[16:]
    assert code_at(f"  {loose}==\n", 59) == "287082"


def test_a_short_secret_is_the_brokers_business() -> None:
    assert len(code_at("JBSWY3DPEHPK3PXP", 59)) == 6


@pytest.mark.parametrize(
    "secret",
    ["123456", "234567", "234 567", "not a secret!", "A", "", "- =", "JBSWY3DPEHPK3PX1", "é"],
)
def test_what_is_not_a_base32_secret_is_named_without_being_shown(secret: str) -> None:
    with pytest.raises(TotpSecretError) as caught:
        code_at(secret, 59)
    assert caught.value.kind == "totp-secret"
    assert len(secret) < 4 or secret not in str(caught.value)


@pytest.mark.parametrize(("now_s", "next_s"), [(0.0, 30.0), (29.999, 30.0), (30.0, 60.0)])
def test_the_next_window_starts_at_the_next_half_minute(now_s: float, next_s: float) -> None:
    assert next_window_s(now_s) == next_s

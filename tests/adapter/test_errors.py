"""The faults, and who may try again."""

import inspect

import pytest

from ticks.adapter import errors
from ticks.adapter.errors import TicksError
from ticks.adapter.instrument import Instrument

ALL = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, TicksError)
]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_a_fault_is_named_as_an_error_and_says_what_it_means(kind: type[TicksError]) -> None:
    assert kind.__name__.endswith("Error")
    assert kind.__doc__


def test_a_fault_keeps_what_happened_and_what_to_do_apart() -> None:
    error = errors.TotpSecretError("the TOTP secret is no base32 text", remedy="copy it again")
    assert str(error) == error.message == "the TOTP secret is no base32 text"
    assert error.remedy == "copy it again"
    assert errors.OutputError("disk full").remedy == ""


def test_facts_that_somebody_acts_on_travel_with_the_fault() -> None:
    nifty = Instrument(1, "99926000", "Nifty 50", "NIFTY", "AMXIDX")
    assert errors.UnknownSymbolError("NIFTI", candidates=(nifty,)).candidates == (nifty,)
    assert errors.ExpiredSymbolError("gone", expired=(nifty,)).expired == (nifty,)
    assert errors.HandshakeRefusedError("refused", status=429).status == 429
    assert errors.ProtocolError("masked frame", close_code=1002).close_code == 1002


def test_only_a_broker_out_of_reach_or_a_full_machine_is_worth_another_try() -> None:
    fixed_by_waiting = {kind for kind in ALL if kind.can_retry}
    can_pass = (errors.BrokerError, errors.ResourceLimitError)
    assert all(issubclass(kind, can_pass) for kind in fixed_by_waiting)
    assert {errors.NetworkError, errors.RateLimitedError} <= fixed_by_waiting


@pytest.mark.parametrize(
    "kind",
    [
        errors.UsageError,
        errors.CredentialsRefusedError,
        errors.TokenRefusedError,
        errors.SubscriptionRefusedError,
        errors.CertificateError,
        errors.FeedLostError,
        errors.OutputError,
    ],
    ids=lambda kind: kind.__name__,
)
def test_what_waiting_cannot_fix_is_not_tried_again(kind: type[TicksError]) -> None:
    assert not kind.can_retry

from __future__ import annotations

import gc
import os
import stat
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import pytest

from ticks.adapter.auth.authenticator import Authenticator, Session
from ticks.adapter.auth.credentials import Credentials
from ticks.adapter.auth.session_store import SessionStore
from ticks.adapter.auth.totp import code_at
from ticks.adapter.errors import (
    CredentialsMissingError,
    CredentialsRefusedError,
    DiskError,
    NetworkError,
    NotSmartApiError,
    SessionFileError,
    TicksError,
    TokenRefusedError,
)

NOTHING = Credentials()
REST_URL = "https://broker.example"


# --- the saved session ---------------------------------------------------------------------------


def test_a_valid_saved_session_costs_no_call_and_needs_no_credentials(desk) -> None:
    first = desk.authenticator().session()
    calls = list(desk.broker.calls)
    authenticator = desk.authenticator(NOTHING)
    assert authenticator.load() == authenticator.session() == authenticator.renew() == first
    assert (first.client_code, first.api_key) == ("A123", "my-api-key")
    assert desk.broker.calls == calls


def test_without_a_session_one_login_is_made_and_saved_privately(desk) -> None:
    session = desk.authenticator().session()
    code = code_at("TICKSDEMOTICKSDE", desk.clock.wall / 1e9)
    assert desk.broker.calls == [("login", "my-api-key", "A123", "2468", code)]
    assert session.issued_ns == desk.clock.wall
    assert stat.S_IMODE(desk.home.session_file.stat().st_mode) == 0o600


def test_how_wrong_the_clock_is_is_known_once_something_was_asked(desk) -> None:
    desk.broker.skew_s = 90.0
    authenticator = desk.authenticator()
    authenticator.session()
    assert authenticator.skew_s == 90.0


def test_a_saved_session_says_nothing_of_the_clock(desk) -> None:
    desk.authenticator().session()
    desk.broker.skew_s = None
    authenticator = Authenticator(
        desk.home, REST_URL, NOTHING, clock=desk.clock, pause=desk.pauses.append
    )
    authenticator.session()
    assert authenticator.skew_s is None


def test_a_broken_file_means_one_fresh_login(desk) -> None:
    desk.authenticator().session()
    desk.home.session_file.write_text("{torn")
    desk.home.session_file.chmod(0o600)
    authenticator = desk.authenticator()
    assert authenticator.load() is None
    assert authenticator.session() == authenticator.session()
    assert desk.broker.count("login") == 2


def test_a_file_that_others_may_read_is_refused_even_with_credentials(desk) -> None:
    desk.authenticator().session()
    desk.home.session_file.chmod(0o644)
    authenticator = desk.authenticator()
    for call in (
        authenticator.load,
        authenticator.session,
        authenticator.renew,
        authenticator.status,
    ):
        with pytest.raises(SessionFileError) as caught:
            call()
        assert caught.value.values == {"quoted_path": str(desk.home.session_file)}
    assert desk.broker.count("login") == 1


def test_a_login_repairs_a_file_that_others_may_read(desk, credentials) -> None:
    desk.authenticator().session()
    desk.home.session_file.chmod(0o644)
    authenticator = desk.authenticator()
    assert authenticator.login(credentials) == authenticator.load()


@pytest.mark.parametrize("other", [{"client_code": "B456"}, {"api_key": "another-key"}])
def test_another_accounts_session_is_not_used(desk, credentials, other: dict[str, str]) -> None:
    desk.authenticator().session()
    session = desk.authenticator(replace(credentials, **other)).session()
    assert desk.broker.count("login") == 2
    assert {"client_code": session.client_code, "api_key": session.api_key}.items() >= other.items()


def test_another_brokers_session_is_not_used(desk) -> None:
    desk.authenticator().session()
    assert desk.authenticator(NOTHING, rest_url="http://127.0.0.1:1").load() is None


def test_what_is_missing_for_a_login_is_named(desk) -> None:
    with pytest.raises(CredentialsMissingError) as caught:
        desk.authenticator(Credentials(api_key="k", pin="2468")).session()
    assert "TICKS_CLIENT_CODE, TICKS_TOTP_SECRET" in str(caught.value)
    assert "TICKS_PIN" not in str(caught.value)
    assert caught.value.kind == "credentials-missing"
    assert desk.broker.calls == []


def test_the_saved_session_completes_the_credentials_of_the_next_login(desk, credentials) -> None:
    desk.authenticator().session()
    desk.clock.turn(2 * 3600)
    half = replace(credentials, api_key=None, client_code=None)
    assert desk.authenticator(half).session().client_code == "A123"
    assert desk.broker.calls[-1][:4] == ("login", "my-api-key", "A123", "2468")


def test_a_session_that_cannot_be_saved_lives_in_memory_which_is_reported_once(
    desk, credentials
) -> None:
    desk.home.state.write_text("a file where the folder should be")
    authenticator = desk.authenticator()
    session = authenticator.session()
    assert authenticator.session() == session
    assert authenticator.renew(session) != session
    assert len(desk.notes) == 1
    assert "cannot be saved" in desk.notes[0]
    with pytest.raises(DiskError):
        authenticator.login(credentials)


def test_a_session_without_a_refresh_token_is_renewed_by_a_login(desk) -> None:
    desk.broker.refresh_tokens = False
    authenticator = desk.authenticator()
    authenticator.session()
    desk.clock.turn(2 * 3600)
    assert authenticator.renew().is_valid(desk.clock.wall)
    assert [call[0] for call in desk.broker.calls] == ["login", "login"]


# --- renewal -------------------------------------------------------------------------------------


def test_a_session_that_ran_out_is_refreshed(desk) -> None:
    old = desk.authenticator().session()
    desk.clock.turn(2 * 3600)
    new = desk.authenticator(NOTHING).renew()
    assert desk.broker.calls[-1] == ("refresh", "my-api-key", old.jwt_token, old.refresh_token)
    assert new.is_valid(desk.clock.wall)
    assert desk.authenticator(NOTHING).load() == new


def test_a_refresh_that_is_refused_becomes_a_login(desk) -> None:
    authenticator = desk.authenticator()
    authenticator.session()
    desk.clock.turn(2 * 3600)
    desk.broker.failures["refresh"] = [TokenRefusedError("over")]
    authenticator.renew()
    assert [call[0] for call in desk.broker.calls] == ["login", "refresh", "login"]


def test_a_network_fault_is_passed_on_and_the_next_renewal_tries_again(desk) -> None:
    authenticator = desk.authenticator()
    authenticator.session()
    desk.clock.turn(2 * 3600)
    desk.broker.failures["refresh"] = [NetworkError("down")]
    with pytest.raises(NetworkError):
        authenticator.renew()
    assert authenticator.renew().is_valid(desk.clock.wall)
    assert [call[0] for call in desk.broker.calls] == ["login", "refresh", "refresh"]


def test_a_refused_session_means_one_fresh_login(desk) -> None:
    authenticator = desk.authenticator()
    refused = authenticator.session()
    renewed = authenticator.renew(refused)
    assert renewed != refused
    assert (
        authenticator.session() == authenticator.renew() == authenticator.renew(refused) == renewed
    )
    assert [call[0] for call in desk.broker.calls] == ["login", "login"]


def test_a_refused_session_is_refreshed_where_credentials_are_missing(desk) -> None:
    desk.authenticator().session()
    authenticator = desk.authenticator(NOTHING)
    refused = authenticator.session()
    assert authenticator.renew(refused) != refused
    assert [call[0] for call in desk.broker.calls] == ["login", "refresh"]


def test_tokens_refused_twice_over_ask_for_a_login_and_are_not_sent_again(desk) -> None:
    desk.authenticator().session()
    authenticator = desk.authenticator(NOTHING)
    refused = authenticator.session()
    desk.broker.failures["refresh"] = [TokenRefusedError("over")]
    for _ in range(3):
        with pytest.raises(CredentialsMissingError):
            authenticator.renew(refused)
    with pytest.raises(CredentialsMissingError):
        authenticator.session()
    assert desk.broker.count("refresh") == 1


def test_a_broker_that_refuses_each_session_it_issues_costs_no_memory(desk) -> None:
    authenticator = desk.authenticator()
    session = authenticator.session()

    def bytes_after(refusals: int) -> int:
        nonlocal session
        for _ in range(refusals):
            session = authenticator.renew(session)
            desk.clock.turn(1)
            desk.broker.calls.clear()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = bytes_after(200)
        assert bytes_after(500) - before < 500 * 50, "a token has more bytes than that"
    finally:
        tracemalloc.stop()


def test_an_odd_refresh_becomes_a_login(desk) -> None:
    authenticator = desk.authenticator()
    authenticator.session()
    desk.clock.turn(2 * 3600)
    desk.broker.failures["refresh"] = [NotSmartApiError("no feedToken")]
    authenticator.renew()
    assert [call[0] for call in desk.broker.calls] == ["login", "refresh", "login"]


def test_another_process_may_have_renewed_already(desk) -> None:
    authenticator, other = desk.authenticator(), desk.authenticator()
    refused = authenticator.session()
    desk.clock.turn(60)
    renewed = other.renew(refused)
    assert authenticator.renew(refused) == renewed
    assert desk.broker.count("login") == 2


def test_one_just_issued_is_used_however_short_it_lives(desk) -> None:
    desk.broker.lifetime_s = -5.0
    authenticator = desk.authenticator()
    session = authenticator.session()
    assert not session.is_valid(desk.clock.wall)
    assert authenticator.renew() != session
    assert [call[0] for call in desk.broker.calls] == ["login", "refresh"]


# --- several who share one -----------------------------------------------------------------------


def run_together(desk, calls: list[Callable[[], Session]]) -> list[object]:
    """What each call brought, all made while the broker still thinks about the first."""
    desk.broker.gate = threading.Event()
    desk.broker.entered.clear()
    results: list[object] = []

    def run(call: Callable[[], Session]) -> None:
        try:
            results.append(call())
        except TicksError as error:
            results.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    threads[0].start()
    assert desk.broker.entered.wait(10)
    for thread in threads[1:]:
        thread.start()
    release_when_all_wait(threads[1:])
    desk.broker.gate.set()
    for thread in threads:
        thread.join(10)
    return results


def release_when_all_wait(threads: list[threading.Thread]) -> None:
    """Until each thread waits at the lock, as its frame shows."""
    patience = threading.Event()
    for _ in range(1000):
        frames = sys._current_frames()
        at = [frames[thread.ident].f_code.co_name for thread in threads if thread.ident in frames]
        if at == ["_turn"] * len(threads):
            return
        patience.wait(0.005)
    pytest.fail("the others never came to the lock")


def test_one_renewal_runs_and_all_who_waited_get_its_session(desk) -> None:
    authenticator = desk.authenticator()
    refused = authenticator.session()
    results = run_together(
        desk, [lambda: authenticator.renew(refused)] * 2 + [authenticator.session]
    )
    assert desk.broker.count("login") == 2
    assert results == [results[0]] * 3
    assert results[0] != refused


def test_all_who_waited_get_the_one_that_was_issued_even_if_it_is_over(desk) -> None:
    authenticator = desk.authenticator()
    authenticator.session()
    desk.clock.turn(2 * 3600)
    desk.broker.lifetime_s = -5.0
    results = run_together(desk, [authenticator.renew] * 3)
    assert desk.broker.count("refresh") == 1
    assert results == [results[0]] * 3


def test_all_who_waited_get_the_error_of_the_one_call(desk) -> None:
    authenticator = desk.authenticator()
    desk.broker.failures["login"] = [NetworkError("down")]
    results = run_together(desk, [authenticator.session] * 3)
    assert desk.broker.count("login") == 1
    assert [type(result) for result in results] == [NetworkError] * 3
    assert len({id(result) for result in results}) == 3


# --- several processes that share the file ------------------------------------------------------


def test_a_renewal_that_another_process_finished_meanwhile_is_not_repeated(desk) -> None:
    desk.authenticator().session()
    desk.clock.turn(2 * 3600)
    authenticators = [desk.authenticator() for _ in range(4)]
    barrier = threading.Barrier(4)
    renewed: list[Session] = []

    def renew(authenticator: Authenticator) -> None:
        barrier.wait(10)
        renewed.append(authenticator.renew())

    threads = [threading.Thread(target=renew, args=(one,)) for one in authenticators]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert desk.broker.count("refresh") == 1
    assert renewed == [renewed[0]] * 4


@pytest.mark.parametrize(
    ("call", "fault"),
    [("refresh", TokenRefusedError("used already")), ("login", CredentialsRefusedError("AB1007"))],
)
def test_the_file_is_read_again_before_a_login_and_before_a_failure(
    desk, call: str, fault: TicksError
) -> None:
    desk.authenticator().session()
    desk.clock.turn(2 * 3600)
    tokens = desk.broker.login("my-api-key", "A123", "2468", "1")
    fresh = Session.issued("A123", "my-api-key", tokens, desk.clock.wall)
    real = getattr(desk.broker, call)

    def overtaken(*arguments: str) -> object:
        # A program that knows no lock was faster.
        SessionStore(desk.home.session_file, REST_URL).write(fresh)
        return real(*arguments)

    setattr(desk.broker, call, overtaken)
    desk.broker.failures[call] = [fault]
    if call == "login":
        desk.home.session_file.unlink()
    logins = desk.broker.count("login")
    assert desk.authenticator().renew() == fresh
    assert desk.broker.count("login") == logins + (call == "login")


def test_a_killed_processs_draft_with_tokens_is_gone_after_a_start_and_after_a_logout(
    desk,
) -> None:
    for clean in (
        desk.authenticator().session,
        desk.authenticator().session,
        desk.authenticator().logout,
    ):
        desk.home.state.mkdir(exist_ok=True)
        draft = desk.home.state / ".session-killed.tmp"
        draft.write_text("tokens")
        clean()
        assert not draft.exists()


# --- status and logout ---------------------------------------------------------------------------


def test_status_says_who_until_when_and_where_without_secrets(desk) -> None:
    assert desk.authenticator().status() is None
    session = desk.authenticator().session()
    status = desk.authenticator(NOTHING).status()
    assert (status.client_code, status.is_valid) == ("A123", True)
    assert (status.issued_ns, status.expires_ns) == (session.issued_ns, session.expires_ns)
    assert status.kept_in == desk.home.session_file
    assert "refresh-1" not in repr(status)
    desk.clock.turn(3600)
    assert desk.authenticator(NOTHING).status().is_valid is False


def test_logout_ends_the_session_and_deletes_the_file(desk) -> None:
    authenticator = desk.authenticator(NOTHING)
    session = desk.authenticator().session()
    authenticator.logout()
    assert desk.broker.calls[-1] == ("logout", "my-api-key", "A123", session.jwt_token)
    assert authenticator.status() is None
    assert desk.notes == [f"the session of A123 has ended; {desk.home.session_file} deleted"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (NetworkError("nobody there"), "(nobody there): it is valid until 20 Nov 10:00 IST"),
        (TokenRefusedError("over"), "the session of A123 had ended already"),
    ],
)
def test_logout_deletes_the_file_whatever_the_broker_says(
    desk, fault: TicksError, words: str
) -> None:
    desk.authenticator().session()
    desk.home.session_file.chmod(0o644)
    desk.broker.failures["logout"] = [fault]
    desk.authenticator(NOTHING).logout()
    assert not desk.home.session_file.exists()
    assert words in desk.notes[0]


def test_logout_without_a_session_says_so_and_deletes_what_is_broken(desk) -> None:
    desk.authenticator().logout()
    assert desk.notes == ["there was no session to end"]
    desk.home.state.mkdir()
    desk.home.session_file.write_text("{torn")
    desk.authenticator().logout()
    assert not desk.home.session_file.exists()
    assert desk.broker.calls == []


def test_logout_removes_what_is_not_a_session_file_and_says_so(desk) -> None:
    desk.home.state.mkdir()
    os.mkfifo(desk.home.session_file)
    desk.authenticator().logout()
    assert not desk.home.session_file.exists()
    assert "no session was ended at the broker" in desk.notes[0]


def test_after_a_logout_nothing_is_remembered(desk) -> None:
    authenticator = desk.authenticator()
    first = authenticator.session()
    authenticator.logout()
    assert authenticator.session() != first


def test_a_saved_session_loads_neither_the_library_nor_http(desk) -> None:
    desk.authenticator().session()
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from ticks.adapter.auth.authenticator import Credentials, Authenticator\n"
        "from ticks.adapter.paths import Paths\n"
        "class Clock:\n"
        "    def now_s(self): return 0.0\n"
        f"    def wall_ns(self): return {desk.clock.wall}\n"
        "home = Paths.from_env({'TICKS_HOME': sys.argv[1]})\n"
        "one = Authenticator(home, 'https://broker.example', Credentials(), clock=Clock(),"
        " pause=print)\n"
        "assert one.session() == one.renew()\n"
        "loaded = {'SmartApi', 'requests', 'logzero', 'pyotp', 'http.client'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(desk.home.state)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")

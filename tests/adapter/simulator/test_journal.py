from __future__ import annotations

import threading

from ticks.adapter.simulator.journal import ConnectionLog, Journal, RestCall, Timestamp


def call(name: str, code: str = "") -> RestCall:
    return RestCall(Timestamp.now(), name, 200, code, {}, b"")


def test_calls_are_counted_by_name_and_error_code() -> None:
    journal = Journal(keep_packets=False)
    journal.calls += [call("login", "AB1050"), call("login"), call("refresh"), call("login")]
    assert (journal.logins, journal.refreshes, journal.count("login", "AB1050")) == (2, 1, 1)


def test_packets_are_summed_and_open_connections_found() -> None:
    journal = Journal(keep_packets=False)
    ended = ConnectionLog(1, Timestamp.now(), packet_count=3, closed=Timestamp.now())
    still_open = ConnectionLog(2, Timestamp.now(), packet_count=4)
    journal.connections += [ended, still_open]
    assert journal.packet_count == 7
    assert journal.open_connections() == [still_open]


def test_a_wait_ends_with_what_it_waits_for() -> None:
    journal = Journal(keep_packets=False)

    def happen() -> None:
        journal.calls.append(call("login"))
        journal.changed()

    other = threading.Thread(target=happen)
    other.start()
    assert journal.wait_until(lambda: journal.logins == 1, 5)
    other.join()


def test_a_wait_for_what_never_comes_ends_when_its_time_is_up() -> None:
    assert not Journal(keep_packets=False).wait_until(lambda: False, 0.01)

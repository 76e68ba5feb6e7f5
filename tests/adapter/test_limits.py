"""The limits of this machine in words."""

from __future__ import annotations

import errno
import os
import threading

import pytest

from ticks.adapter.errors import ResourceLimitError
from ticks.adapter.limits import limit_of, start_thread


def test_a_thread_is_started_with_its_name() -> None:
    names: list[str] = []
    start_thread(lambda: names.append(threading.current_thread().name), name="beside").join()
    assert names == ["beside"]


def test_a_thread_that_cannot_be_started_is_a_limit_of_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(ResourceLimitError) as caught:
        start_thread(lambda: None, name="beside")
    assert caught.value.kind == "threads-limit"
    assert caught.value.can_retry


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "memory-limit"),
        (RuntimeError("can't start new thread"), "threads-limit"),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), "memory-limit"),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE), "a.csv"), "files-limit"),
        (OSError(errno.ENFILE, os.strerror(errno.ENFILE)), "files-limit"),
        (OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)), "threads-limit"),
    ],
)
def test_an_exception_of_a_limit_is_named(error: Exception, kind: str) -> None:
    limit = limit_of(error)
    assert limit is not None
    assert limit.kind == kind


@pytest.mark.parametrize(
    "error",
    [
        ValueError("another"),
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        BlockingIOError(errno.EAGAIN, "write could not complete without blocking"),
    ],
)
def test_any_other_exception_is_none(error: Exception) -> None:
    assert limit_of(error) is None

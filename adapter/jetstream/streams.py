"""JetStream's API over a link: a stream is found or made, a consumer is begun. JSON both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..redaction import shown
from .address import StreamLimits
from .link import PING_EVERY_S, Link, LinkError

DEFAULT_PREFIX = "ticks"
DUPLICATE_WINDOW_S = 120.0
"""How long the server remembers message ids, in a stream that is made here."""

_NOT_FOUND, _NAME_IN_USE, _SUBJECTS_TAKEN = 10059, 10058, 10065
_NO_JETSTREAM = (10039, 10076)


class StreamFacts(NamedTuple):
    """A stream as it is: the prefix of its subjects (None: it takes none like ours), seconds that
    it remembers message ids, contents."""

    prefix: str | None
    window_s: float
    last_sequence: int
    messages: int
    bytes: int


async def ensure_stream(link: Link, name: str, limits: StreamLimits) -> StreamFacts:
    """The stream of this name, made if it is missing; its prefix is not None.

    It takes `ticks.>`, or `NAME.>` where another stream has those. Raises LinkError.
    """
    facts = await find_stream(link, name) or await _create_or_find(link, name, limits)
    if facts.prefix is None:
        raise LinkError("nats-stream", f"the stream {name} takes no subjects like ticks.>")
    return facts


async def _create_or_find(link: Link, name: str, limits: StreamLimits) -> StreamFacts:
    for prefix in (DEFAULT_PREFIX, name):
        error = await _create_stream(link, name, prefix, limits)
        if error is None or error[0] != _SUBJECTS_TAKEN:
            break
    if error is not None and error[0] != _NAME_IN_USE:  # another recorder was faster
        raise LinkError("nats-stream", f"the stream {name} cannot be made: {error[1]}")
    facts = await find_stream(link, name)
    if facts is None:
        raise LinkError("nats-no-stream", f"there is no stream {name}")
    return facts


async def find_stream(link: Link, name: str) -> StreamFacts | None:
    """The stream of this name; None where there is none. Raises LinkError."""
    reply, error = await _ask(link, f"STREAM.INFO.{name}", {})
    if error is not None and error[0] == _NOT_FOUND:
        return None
    if error is not None:
        raise LinkError("nats-stream", f"the stream {name} cannot be read: {error[1]}")
    config, state = reply["config"], reply["state"]
    return StreamFacts(
        prefix=_prefix_of(config.get("subjects") or []),
        window_s=config.get("duplicate_window", 0) / 1e9,
        last_sequence=state["last_seq"],
        messages=state["messages"],
        bytes=state["bytes"],
    )


async def _create_stream(
    link: Link, name: str, prefix: str, limits: StreamLimits
) -> tuple[int, str] | None:
    """Ask for it; None, or the code and the words of the error."""
    window_s = min(DUPLICATE_WINDOW_S, limits.max_age_s or DUPLICATE_WINDOW_S)
    config = {
        "name": name,
        "description": "Ticks of Angel One's SmartAPI",
        "subjects": [f"{prefix}.>"],
        "storage": "file",
        "retention": "limits",
        "discard": "old",
        "max_age": int((limits.max_age_s or 0) * 1e9),
        "max_bytes": limits.max_bytes or -1,
        "max_msgs": -1,
        "max_consumers": -1,
        "num_replicas": 1,
        "duplicate_window": int(window_s * 1e9),
    }
    _, error = await _ask(link, f"STREAM.CREATE.{name}", config)
    return error


async def consume(
    link: Link,
    stream: str,
    inbox: str,
    *,
    start: Mapping[str, object],
    subjects: Sequence[str] = (),
) -> int:
    """Have the messages of a stream sent to `inbox`, in order; how many there are now.

    `start` holds the API's own words for where to begin. A consumer that is gone (a restarted
    server, a gap) is silent: nothing says so. Raises LinkError.
    """
    config: dict[str, object] = {
        **start,
        "deliver_subject": inbox,
        "ack_policy": "none",
        "replay_policy": "instant",
        "max_deliver": 1,
        "flow_control": True,
        "idle_heartbeat": PING_EVERY_S * 10**9,
        "inactive_threshold": 30 * 10**9,
        "mem_storage": True,
        "num_replicas": 1,
    }
    if subjects:
        config["filter_subjects"] = list(subjects)
    request = {"stream_name": stream, "config": config}
    reply, error = await _ask(link, f"CONSUMER.CREATE.{stream}", request)
    if error is not None:
        kind = "nats-no-stream" if error[0] == _NOT_FOUND else "nats-stream"
        raise LinkError(kind, f"the stream {stream} cannot be read: {error[1]}")
    return int(reply.get("num_pending", 0))


async def _ask(
    link: Link, call: str, request: Mapping[str, object]
) -> tuple[dict[str, Any], tuple[int, str] | None]:
    """The reply to an API call, and the code and the words of an error in it."""
    body = await link.ask_jetstream(call, json.dumps(request).encode())
    if body is None:
        raise LinkError("nats-no-jetstream", "the server has no JetStream")
    try:
        reply: dict[str, Any] = json.loads(body)
    except ValueError as error:
        raise LinkError("nats-unreachable", "JetStream: its reply is not JSON") from error
    refusal = reply.get("error")
    if refusal is None:
        return reply, None
    code = refusal.get("err_code", refusal.get("code", 0))
    if code in _NO_JETSTREAM:
        raise LinkError("nats-no-jetstream", "the server has no JetStream for this account")
    return reply, (code, shown(str(refusal.get("description", code))))


def _prefix_of(subjects: Sequence[str]) -> str | None:
    """What precedes exchange and token in a stream's subjects; None where nothing can."""
    prefixes = [
        subject.removesuffix(ending)
        for subject in subjects
        for ending in (".>", ".*.*")
        if subject.endswith(ending) and "*" not in subject.removesuffix(ending)
    ]
    return DEFAULT_PREFIX if DEFAULT_PREFIX in prefixes else next(iter(prefixes), None)

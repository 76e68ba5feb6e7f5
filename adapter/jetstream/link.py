"""One connection to a NATS server with JetStream. The only file that knows nats-py.

Rules
- A link that is lost stays lost; its owner opens another. nats-py's own reconnecting is not
  used: it waits for what is buffered to reach a peer that may be gone, for a quarter of an hour.
- nats-py is imported when the first link is opened: without NATS it costs nothing.
- What is raised is LinkError, in words that hold no credential. Nothing is logged.
- Where TLS is asked for, no password and no tick leaves before the link is encrypted.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import UsageError
from ..redaction import shown
from .address import NatsAccess, NatsAddress, StreamLimits

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

CONNECT_S = 5.0
"""How long a server, or its API, may take to answer before it counts as away."""
PING_EVERY_S = 5
"""After two pings without an answer the link is lost."""
_FLUSH_S = 2.0
"""How often a publish that waits for a full socket checks whether the link is lost: nats-py does
not wake it when it closes one."""
DEFAULT_PREFIX = "ticks"
DUPLICATE_WINDOW_S = 120.0
"""How long the server remembers message ids, in a stream that is made here."""

_NOT_FOUND, _NAME_IN_USE, _SUBJECTS_TAKEN = 10059, 10058, 10065
_NO_JETSTREAM = (10039, 10076)
_NO_RESPONDERS = "503"


class LinkError(Exception):
    """Why there is no link, or no stream. `kind`: nats-unreachable, nats-refused,
    nats-certificate, nats-no-jetstream, nats-no-stream, nats-stream."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class StreamFacts(NamedTuple):
    """A stream as it is: the prefix of its subjects (None: it takes none like ours), seconds that
    it remembers message ids, contents."""

    prefix: str | None
    window_s: float
    last_sequence: int
    messages: int
    bytes: int


class Delivery(NamedTuple):
    """A message as a consumer delivers it.

    `reply` is where a server's request for flow control is answered, "" for none; a message of the
    stream has its sequence there, its number at this consumer, and how many follow.
    """

    subject: str
    reply: str
    body: bytes
    headers: Mapping[str, str] | None

    @property
    def refusal(self) -> str:
        """Why a message was not stored, of the server's answer to it; "" where it was."""
        if not self.body:
            is_nobody = self.headers is not None and self.headers.get("Status") == _NO_RESPONDERS
            return "no stream takes the messages" if is_nobody else "an empty answer"
        if b'"error"' not in self.body:
            return ""
        try:
            return shown(str(json.loads(self.body)["error"]["description"]))
        except (ValueError, LookupError, TypeError):
            return "the server refuses the messages"


class Position(NamedTuple):
    """The place of a delivered message: in the stream, at this consumer, and how many follow."""

    stream_sequence: int
    consumer_sequence: int
    stored_ns: int
    pending: int


def position_of(reply: str) -> Position | None:
    """The position in a message's reply subject; None where there is none.

    Either form: `$JS.ACK.stream.consumer.deliveries.stream_seq.consumer_seq.time.pending`, or with
    domain and account before `stream`, and more after it.
    """
    parts = reply.split(".")
    if parts[:2] != ["$JS", "ACK"] or len(parts) < 9:
        return None
    at = 5 if len(parts) == 9 else 7
    try:
        return Position(*map(int, parts[at : at + 4]))
    except (ValueError, TypeError):
        return None


def check_installed() -> None:
    """Raises UsageError (kind `extra-missing`) where nats-py is not installed."""
    try:
        import nats.aio.client  # noqa: F401  (only to see whether they are installed)
        import nkeys  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "NATS needs packages that are not installed", kind="extra-missing", extra="nats"
        ) from error
    # Its errors reach us as exceptions; it must not write to the user's terminal.
    logging.getLogger("nats").handlers[:] = [logging.NullHandler()]
    logging.getLogger("nats").propagate = False


OnDelivery = Callable[[Delivery], Awaitable[None]]


class Link:
    """An open connection. `open_link` makes one. For the event loop that made it."""

    def __init__(self, client: Client, on_lost: Callable[[], None]) -> None:
        self.is_lost = False
        self.reason = ""
        """Why it was lost, as far as it is known."""
        self._client = client
        self._on_lost = on_lost

    def new_inbox(self) -> str:
        """A unique subject."""
        return self._client.new_inbox()

    @property
    def discovered(self) -> list[str]:
        """Addresses of further servers of the same cluster."""
        return [server.geturl() for server in self._client.discovered_servers]

    def lose(self, reason: str) -> None:
        """Give it up, and release those who wait for its socket."""
        if not self.is_lost:
            self.is_lost = True
            self.reason = self.reason or reason
            _abort(self._client)
            self._on_lost()

    async def publish(
        self, subject: str, body: bytes, *, reply: str = "", message_id: str = ""
    ) -> None:
        """Send, in order, waiting only while the socket is full. A lost link sends nothing."""
        import nats.errors

        headers = {"Nats-Msg-Id": message_id} if message_id else None
        try:
            await self._client.publish(subject, body, reply=reply, headers=headers)
        except (nats.errors.Error, OSError) as error:
            self.lose(_words(error))

    async def subscribe(self, subject: str, on_delivery: OnDelivery) -> None:
        """Have `on_delivery` called with each message on `subject`, one after another."""
        import nats.errors

        async def delivered(message: Msg) -> None:
            await on_delivery(
                Delivery(message.subject, message.reply, message.data, message.headers)
            )

        try:
            await self._client.subscribe(subject, cb=delivered)
        except (nats.errors.Error, OSError) as error:
            self.lose(_words(error))

    # --- JetStream's API: JSON requests and replies ---

    async def ensure_stream(self, name: str, limits: StreamLimits) -> StreamFacts:
        """The stream of this name, made if it is missing; its prefix is not None.

        It takes `ticks.>`, or `NAME.>` where another stream has those. Raises LinkError.
        """
        facts = await self.find_stream(name) or await self._made_stream(name, limits)
        if facts.prefix is None:
            raise LinkError("nats-stream", f"the stream {name} takes no subjects like ticks.>")
        return facts

    async def _made_stream(self, name: str, limits: StreamLimits) -> StreamFacts:
        for prefix in (DEFAULT_PREFIX, name):
            error = await self._make_stream(name, prefix, limits)
            if error is None or error[0] != _SUBJECTS_TAKEN:
                break
        if error is not None and error[0] != _NAME_IN_USE:  # another recorder was faster
            raise LinkError("nats-stream", f"the stream {name} cannot be made: {error[1]}")
        facts = await self.find_stream(name)
        if facts is None:
            raise LinkError("nats-no-stream", f"there is no stream {name}")
        return facts

    async def find_stream(self, name: str) -> StreamFacts | None:
        """The stream of this name; None where there is none. Raises LinkError."""
        reply, error = await self._ask(f"STREAM.INFO.{name}", {})
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

    async def _make_stream(
        self, name: str, prefix: str, limits: StreamLimits
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
        _, error = await self._ask(f"STREAM.CREATE.{name}", config)
        return error

    async def consume(
        self, stream: str, inbox: str, *, start: Mapping[str, object], subjects: Sequence[str] = ()
    ) -> int:
        """Have the messages of a stream sent to `inbox`, in order; how many there are now.

        `start` holds the API's own words for where to begin. Of a consumer that is not there any
        more (a restarted server, a gap) nothing comes. Raises LinkError.
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
        reply, error = await self._ask(f"CONSUMER.CREATE.{stream}", request)
        if error is not None:
            kind = "nats-no-stream" if error[0] == _NOT_FOUND else "nats-stream"
            raise LinkError(kind, f"the stream {stream} cannot be read: {error[1]}")
        return int(reply.get("num_pending", 0))

    async def _ask(
        self, call: str, request: Mapping[str, object]
    ) -> tuple[dict[str, Any], tuple[int, str] | None]:
        """The reply to an API call, and the code and the words of an error in it."""
        import nats.errors

        try:
            message = await self._client.request(
                f"$JS.API.{call}", json.dumps(request).encode(), timeout=CONNECT_S
            )
            reply: dict[str, Any] = json.loads(message.data)
        except nats.errors.NoRespondersError as error:
            raise LinkError("nats-no-jetstream", "the server has no JetStream") from error
        except (nats.errors.Error, OSError, ValueError) as error:
            raise LinkError("nats-unreachable", f"JetStream: {_words(error)}") from error
        refusal = reply.get("error")
        if refusal is None:
            return reply, None
        code = refusal.get("err_code", refusal.get("code", 0))
        if code in _NO_JETSTREAM:
            raise LinkError("nats-no-jetstream", "the server has no JetStream for this account")
        return reply, (code, shown(str(refusal.get("description", code))))

    async def close(self) -> None:
        """End it at once. What was sent and is not acknowledged may have arrived or not."""
        self.is_lost = True
        await _discard(self._client)


async def open_link(
    address: NatsAddress,
    access: NatsAccess,
    on_lost: Callable[[], None],
    *,
    others: Sequence[str] = (),
) -> Link:
    """A link to the server, or to one of the `others` of its cluster. Raises LinkError, UsageError.

    `on_lost` is called once, in the event loop, when the link is lost.
    """
    check_installed()
    error = None
    for server in dict.fromkeys([address.server, *others]):
        try:
            return await _open(server, address, access, on_lost)
        except LinkError as failed:
            error = error or failed
    assert error is not None  # noqa: S101  (there is one server at least)
    raise error


async def _open(
    server: str, address: NatsAddress, access: NatsAccess, on_lost: Callable[[], None]
) -> Link:
    import nats.errors
    import nkeys
    from nats.aio.client import Client

    client = Client()
    link = Link(client, on_lost)
    is_open = False

    async def failed(error: Exception) -> None:
        if not is_open:
            raise error  # nats-py would try again, silently and for long
        if not (link.is_lost or isinstance(error, nats.errors.FlushTimeoutError)):
            link.reason = _words(error)

    try:
        connecting = client.connect(
            servers=[server],
            error_cb=failed,
            name="ticks",
            allow_reconnect=False,
            connect_timeout=int(CONNECT_S),
            ping_interval=PING_EVERY_S,
            flush_timeout=_FLUSH_S,
            tls_hostname=address.host,
            **_tls(address, access),
            **_credentials(client, address, access),
        )
        await asyncio.wait_for(connecting, 2 * CONNECT_S)
        if address.requires_tls and not _is_encrypted(client):
            raise nats.errors.Error(_NOT_ENCRYPTED)
    except (nats.errors.Error, OSError) as error:
        await _discard(client)
        raise _fault(server, error) from error
    except nkeys.NkeysError:
        await _discard(client)
        raise LinkError("nats-refused", f"{server}: the credentials cannot be used") from None
    is_open = True
    link.reason = ""
    _watch(client, link)
    return link


def _watch(client: Client, link: Link) -> None:
    """Lose the link when nats-py stops to read or to write.

    Its callbacks are not reliable: where closing fails, it ends without calling any.
    """

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # asked for, or asyncio prints it
        link.lose("the connection was closed")

    for task in (client._reading_task, client._flusher_task):
        if task is not None:
            task.add_done_callback(ended)


_NOT_ENCRYPTED = "the server does not offer TLS"


def _is_encrypted(client: Client) -> bool:
    """What nats-py itself decides by; it would go on without, whatever the address asks for."""
    return bool(client._server_info.get("tls_required"))


def _credentials(client: Client, address: NatsAddress, access: NatsAccess) -> dict[str, Any]:
    """The credentials as nats-py takes them. Passwords are handed over when the link is
    encrypted."""
    import nats.errors
    from nats.aio.client import RawCredentials

    def checked(secret: str) -> Callable[[], str]:
        def when_encrypted() -> str:
            if address.requires_tls and not _is_encrypted(client):
                raise nats.errors.Error(_NOT_ENCRYPTED)
            return secret

        return when_encrypted

    if access.creds:
        return {"user_credentials": RawCredentials(access.creds)}
    if access.nkey_seed:
        return {"nkeys_seed_str": access.nkey_seed}
    if access.user:
        return {"user": checked(access.user), "password": checked(access.password)}
    return {"token": checked(access.token)} if access.token else {}


def _tls(address: NatsAddress, access: NatsAccess) -> dict[str, Any]:
    """How the server's certificate is checked, and ours shown. Raises UsageError (`nats-file`).

    Nothing of it for a server of which neither is known: nats-py makes a context, which takes a
    tenth of a second, where the server turns out to ask for one.
    """
    if not (address.requires_tls or access.ca_file or access.cert_file):
        return {}
    variable, path = "NATS_CA", access.ca_file
    try:
        context = ssl.create_default_context(cafile=access.ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if access.cert_file:
            variable, path = "NATS_CERT", access.cert_file
            context.load_cert_chain(access.cert_file, access.key_file or None)
    except (ssl.SSLError, OSError) as error:
        raise UsageError(
            f"{variable}: {path} cannot be used: it does not hold what TLS needs",
            kind="nats-file",
            variable=variable,
            path=path,
        ) from error
    return {"tls": context}


def _abort(client: Client) -> None:
    """Close the socket now: nats-py's `close` waits until what is buffered has been sent."""
    writer = getattr(client._transport, "_io_writer", None)
    if writer is not None:
        writer.transport.abort()


async def _discard(client: Client) -> None:
    _abort(client)
    with suppress(Exception):
        await asyncio.wait_for(client.close(), 1.0)


def _prefix_of(subjects: Sequence[str]) -> str | None:
    """What precedes exchange and token in a stream's subjects; None where nothing can."""
    prefixes = [
        subject.removesuffix(ending)
        for subject in subjects
        for ending in (".>", ".*.*")
        if subject.endswith(ending) and "*" not in subject.removesuffix(ending)
    ]
    return DEFAULT_PREFIX if DEFAULT_PREFIX in prefixes else next(iter(prefixes), None)


def _fault(server: str, error: Exception) -> LinkError:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message
        return LinkError("nats-certificate", f"{server}: its certificate is not trusted: {reason}")
    words = _words(error)
    if "authorization" in words.lower() or "authentication" in words.lower():
        return LinkError("nats-refused", f"{server} refuses these credentials")
    return LinkError("nats-unreachable", f"{server} cannot be reached: {words}")


def _words(error: BaseException) -> str:
    """Why, in a few words."""
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return shown(str(error).removeprefix("nats: ").strip("'")) or type(error).__name__

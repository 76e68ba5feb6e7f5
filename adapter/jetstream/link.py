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
import logging
import os
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..redaction import shown
from .address import NatsAccess, NatsAddress
from .delivery import Delivery

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
_AGAIN_AFTER_S = (0.1, 0.2, 0.5, 1.0, 2.0)


class LinkError(Exception):
    """Why there is no link, or no stream (streams.py). `kind`: nats-unreachable, nats-refused,
    nats-certificate, nats-no-jetstream, nats-no-stream, nats-stream."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


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

    async def ask_jetstream(self, call: str, request: bytes) -> bytes | None:
        """The reply to a call of JetStream's API; None where nothing answers to it.

        Raises LinkError (kind `nats-unreachable`).
        """
        import nats.errors

        try:
            reply = await self._client.request(f"$JS.API.{call}", request, timeout=CONNECT_S)
        except nats.errors.NoRespondersError:
            return None
        except (nats.errors.Error, OSError) as error:
            raise LinkError("nats-unreachable", f"JetStream: {_words(error)}") from error
        return reply.data

    async def close(self) -> None:
        """End it at once. What was sent and is not acknowledged may have arrived or not."""
        self.is_lost = True
        await _discard(self._client)


def again_after_s(failures: int) -> float:
    """How long to wait before another link is opened, after so many failures in a row."""
    return _AGAIN_AFTER_S[min(failures, len(_AGAIN_AFTER_S) - 1)]


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
        await _within(2 * CONNECT_S, connecting)
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


async def _within(limit_s: float, work: Coroutine[Any, Any, None]) -> None:
    """Await `work`. Raises TimeoutError.

    Unlike `asyncio.wait_for` it does not wait for the end of what it cancels: nats-py may swallow a
    cancellation (its own `wait_for` does until Python 3.12), and a stop would take its time.
    """
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda task: task.cancelled() or task.exception())  # else asyncio prints
    try:
        done, _ = await asyncio.wait([task], timeout=limit_s)
    finally:
        task.cancel()
    if not done:
        raise TimeoutError
    task.result()


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

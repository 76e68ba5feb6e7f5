"""A feed server that treats each connection as a list says."""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import threading
from collections.abc import Iterator

from .attacks import BARE_ATTACKS, Attack, Peer


class HostileFeed:
    """Listens on loopback; the n-th connection gets the n-th of `attacks`.

    `met` names what was played to its end, `is_done` is set when the last has begun.
    """

    def __init__(
        self,
        attacks: Iterator[tuple[str, Attack]],
        *,
        seed: int,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._attacks = attacks
        self._draw = random.Random(seed)
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.2)
        self._is_stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self.met: list[str] = []
        self.failures: list[BaseException] = []
        port = self._listener.getsockname()[1]
        self.url = f"{'ws' if context is None else 'wss'}://127.0.0.1:{port}/smart-stream"
        self._thread = threading.Thread(target=self._serve, name="hostile feed")

    def __enter__(self) -> HostileFeed:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._is_stopped.set()
        for thread in [self._thread, *self._threads]:
            thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._is_stopped.is_set():
            try:
                sock, _address = self._listener.accept()
            except TimeoutError:
                continue
            name, attack = next(self._attacks)
            self.met.append(name)
            self._threads = [each for each in self._threads if each.is_alive()]
            thread = threading.Thread(target=self._play, args=(sock, attack), name=name)
            self._threads.append(thread)
            thread.start()

    def _play(self, sock: socket.socket, attack: Attack) -> None:
        sock.settimeout(5.0)
        try:
            # The client hangs up in the middle of most attacks: as it may.
            with contextlib.suppress(OSError):
                request = b""
                if attack in BARE_ATTACKS:
                    attack(Peer(sock, request, self._draw))
                    return
                if self._context is not None:
                    sock = self._context.wrap_socket(sock, server_side=True)
                while b"\r\n\r\n" not in request:
                    part = sock.recv(65536)
                    if not part:
                        return
                    request += part
                attack(Peer(sock, request, self._draw))
        except BaseException as failure:  # noqa: BLE001  (a mistake in an attack, not of the client)
            self.failures.append(failure)
        finally:
            sock.close()

"""The client under attack: `ticks stream`, and what it may use, say and leave behind."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ..conftest import SECRETS, TICKS

MOST_MEMORY_MB = 160
"""The highest that may be seen; a calm stream has 45."""
MOST_DESCRIPTORS = 40
MOST_THREADS = 15
MOST_SAID_BYTES = 2_000_000
ENDS_WITHIN_S = 6.0
ARGUMENTS = (
    *("stream", "NIFTY", "RELIANCE", "--csv", "o.csv", "--events", "e.jsonl", "-v"),
    *("--always-open", "--keep-trying", "--backoff-max", "50ms"),
    *("--silence-after", "600ms", "--check-every", "100ms"),
)


class Client:
    """A stream in `folder`; whatever still runs at the end is killed."""

    def __init__(
        self, environ: dict[str, str], folder: Path, arguments: Sequence[str] = ARGUMENTS
    ) -> None:
        self._environ = environ
        self._folder = folder
        self._said = (folder / "stderr").open("w+b")
        self.process = subprocess.Popen(
            [TICKS, *arguments],
            env=environ,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.process.kill()
        self.process.wait()
        self._said.close()

    @property
    def said(self) -> str:
        return (self._folder / "stderr").read_text(errors="replace")

    def wait_until(self, is_true: Callable[[], bool], within_s: float) -> None:
        end_s = time.monotonic() + within_s
        while not is_true():
            assert self.process.poll() is None, f"it has ended: {self.said[-2_000:]}"
            assert time.monotonic() < end_s, self.said[-2_000:]
            time.sleep(0.05)

    def ends(self, within_s: float = ENDS_WITHIN_S) -> int:
        """The exit code after SIGTERM, with all that holds at any end checked."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended(within_s)

    def ended(self, within_s: float) -> int:
        """The exit code of a stream that ends by itself."""
        code = self.process.wait(within_s)
        said = self.said
        assert len(said) < MOST_SAID_BYTES
        assert "Traceback" not in said
        assert "unexpected" not in said
        assert not any(letter in said for letter in "\x1b\x07\x08\x9b")
        session = json.loads((Path(self._environ["TICKS_HOME"]) / "session.json").read_text())
        secrets = [session["jwt_token"], session["feed_token"], *map(self._environ.get, SECRETS)]
        events = (self._folder / "e.jsonl").read_text(errors="replace")
        assert [secret for secret in secrets if secret and secret in said + events] == []
        return code

    def check_resources(self) -> None:
        """Memory at its highest, and what is open and runs now."""
        proc = Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        assert int(status["VmHWM"].split()[0]) / 1024 < MOST_MEMORY_MB
        assert int(status["Threads"]) < MOST_THREADS
        assert len(list((proc / "fd").iterdir())) < MOST_DESCRIPTORS

    def rows(self) -> list[dict[str, str]]:
        path = self._folder / "o.csv"
        if not path.exists():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def sequences(self) -> list[int]:
        return [int(row["sequence"]) for row in self.rows() if row["sequence"]]

    def events(self) -> list[dict[str, object]]:
        text = (self._folder / "e.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

"""A throw-away certificate for this machine's loopback names, made by the `openssl` command."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

from ..errors import UsageError

_CONFIGURATION = """\
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = ticks simulator
[extensions]
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature, keyCertSign
subjectKeyIdentifier = hash
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
"""


def make_certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A new certificate in `folder`: the file that a client must trust, and the server's context.

    Raises UsageError when there is no `openssl` command (kind `openssl-missing`), or it fails
    (kind `openssl-failed`).
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        raise UsageError(
            "TLS needs a certificate, and there is no `openssl` command to make one",
            kind="openssl-missing",
        )
    configuration = folder / "openssl.cnf"
    key, certificate = folder / "key.pem", folder / "cert.pem"
    configuration.write_text(_CONFIGURATION)
    command = f"{openssl} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    files: list[str | Path] = ["-config", configuration, "-keyout", key, "-out", certificate]
    made = subprocess.run(  # noqa: S603 - the arguments are ours, the paths a temporary folder's
        [*command.split(), *files], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        lines = made.stderr.strip().splitlines() or ["no reason given"]
        raise UsageError(
            f"`openssl` could not make a certificate: {lines[-1]}",
            kind="openssl-failed",
            reason=lines[-1],
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context

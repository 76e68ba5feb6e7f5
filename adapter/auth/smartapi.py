"""smartapi-python, contained: its routes, headers and call flow, with a transport of ours.

Rules (what the library would do to its host: protocol.md, section 3)
- Importing it would ask a public address for this machine's IP, look its own name up, read the
  network card's address and set log handlers. So its `smartConnect` module runs in a module of its
  own that is given the standard library without `socket` and `uuid`, and silence for all else: no
  `requests`, no `logzero`, nothing of the process is touched, not even for a moment.
- Its `__init__` would create `./logs` and add handlers. So the object is made without it, and
  gets the few attributes that its calls read.
- Its `_request` would log the PIN, follow redirects and trust certifi. So `http.py` does that part.
- It would put the refresh token into the profile's URL. So a GET has no parameters here.
The headers carry the library's own constants where it would send this machine's addresses: they
are not checked for market data.
"""

from __future__ import annotations

import builtins
import functools
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import Any

from ..clock import Clock
from ..errors import CredentialsRefusedError, TicksError
from ..http import REST_LIMITS, exchange
from ..redaction import remember
from .replies import Asked, Call, data_of
from .tokens import Tokens, bare_token, is_header_safe

_CALLS = {
    "api.login": Call.LOGIN,
    "api.token": Call.REFRESH,
    "api.user.profile": Call.PROFILE,
    "api.logout": Call.LOGOUT,
}
_WITHHELD = {"socket", "uuid"}


@dataclass(frozen=True, slots=True)
class Profile:
    """The user's profile at the broker."""

    client_code: str
    name: str
    exchanges: tuple[str, ...]


class SmartApi:
    """The four calls that ticks makes, at `rest_url`; what they raise is in errors.py.

    `skew_s`: how far this machine's clock was ahead of the broker's at the last reply, in seconds
    (whole ones, plus the reply's way); None when it had no Date.
    """

    def __init__(
        self, rest_url: str, clock: Clock, *, timeout_s: float = REST_LIMITS.total_s
    ) -> None:
        self._rest_url = rest_url.rstrip("/")
        self._clock = clock
        self._limits = replace(REST_LIMITS, total_s=timeout_s)
        self.skew_s: float | None = None

    def login(self, api_key: str, client_code: str, pin: str, code: str) -> Tokens:
        """Fresh tokens for `pin` and the TOTP `code`. One call; limit 1/s."""
        sdk = self._sdk(api_key)
        # generateSession asks for the profile next; were that to fail, the tokens would be lost.
        sdk.getProfile = lambda _refresh_token: {"data": {"clientcode": client_code}}
        return _tokens(sdk.generateSession(client_code, pin, code)["data"])

    def refresh(self, api_key: str, jwt_token: str, refresh_token: str) -> Tokens:
        """Fresh tokens for the old ones. Limit 1/s, 1000/h."""
        tokens = _tokens(self._sdk(api_key, jwt_token).generateToken(refresh_token)["data"])
        # A reply without one says nothing against the one that was just accepted.
        return replace(tokens, refresh_token=tokens.refresh_token or refresh_token)

    def profile(self, api_key: str, jwt_token: str) -> Profile:
        """Who these tokens belong to. Limit 3/s, 1000/h."""
        data = self._sdk(api_key, jwt_token).getProfile("")["data"]
        exchanges = data.get("exchanges")
        return Profile(
            client_code=data["clientcode"],
            name=str(data.get("name") or ""),
            exchanges=tuple(map(str, exchanges)) if isinstance(exchanges, list) else (),
        )

    def logout(self, api_key: str, client_code: str, jwt_token: str) -> None:
        """End the session at the broker. Limit 1/s."""
        self._sdk(api_key, jwt_token).terminateSession(client_code)

    def _sdk(self, api_key: str, jwt_token: str | None = None) -> Any:
        """A SmartConnect that sends through `_request` below."""
        if not is_header_safe(api_key):
            raise CredentialsRefusedError(
                "the API key holds a blank or a letter that no API key has; nothing was sent",
                kind="api-key-refused",
            )
        kind = smart_connect()
        sdk = kind.__new__(kind)
        sdk.privateKey = api_key
        sdk.access_token = jwt_token
        sdk._request = functools.partial(self._request, sdk)
        return sdk

    def _request(
        self, sdk: Any, route: str, method: str, parameters: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Stands in for the library's transport: same arguments, same result, our errors."""
        headers = {"User-Agent": "ticks", **sdk.requestHeaders()}
        if sdk.access_token:
            headers["Authorization"] = f"Bearer {sdk.access_token}"
        body = json.dumps(parameters).encode() if method == "POST" else None
        url = self._rest_url + sdk._routes[route]
        # Whatever answers may echo them in a reason phrase or a message.
        said = (value for key, value in (parameters or {}).items() if key != "clientcode")
        remember(*said, sdk.privateKey, sdk.access_token)
        reply = exchange(method, url, headers, body, limits=self._limits)
        date_s = reply.server_wall_s
        self.skew_s = None if date_s is None else self._clock.wall_ns() / 1e9 - date_s
        asked = Asked(
            call=_CALLS[route],
            rest_url=self._rest_url,
            skew_s=self.skew_s,
        )
        return {"status": True, "data": data_of(reply, asked)}


def _tokens(data: Mapping[str, Any]) -> Tokens:
    return Tokens(
        jwt_token=bare_token(data["jwtToken"]),
        refresh_token=data["refreshToken"],
        feed_token=data["feedToken"],
    )


class _Silence:
    """Takes the place of every library that SmartConnect would import, and does nothing."""

    def __getattr__(self, name: str) -> _Silence:
        return self

    def __call__(self, *_arguments: object, **_options: object) -> _Silence:
        return self

    def __index__(self) -> int:
        return 0


@functools.cache
def smart_connect() -> Any:
    """The class SmartConnect, from a private run of its module; `sys.modules` is left alone.

    Raises TicksError when the library is not installed.
    """
    package = PathFinder.find_spec("SmartApi")
    places = package.submodule_search_locations if package else None
    spec = PathFinder.find_spec("SmartApi.smartConnect", places) if places else None
    if spec is None or spec.loader is None:
        raise TicksError("smartapi-python is not installed", kind="sdk-missing")
    module = module_from_spec(spec)
    module.__dict__["__builtins__"] = {**vars(builtins), "__import__": _import_for_sdk}
    spec.loader.exec_module(module)
    return module.SmartConnect


def _import_for_sdk(name: str, *rest: Any) -> Any:
    """`__import__` as SmartConnect's module sees it."""
    root = name.partition(".")[0]
    if root in sys.stdlib_module_names and root not in _WITHHELD:
        return builtins.__import__(name, *rest)
    return _Silence()

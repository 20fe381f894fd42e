"""The server's door, for `asgi.py`: whom it answers, what it lets in, what every answer carries.

Each class is plain ASGI middleware: it passes on what is none of its business, websockets among it.
"""

from __future__ import annotations

import gc
import re
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config

from components import charts, ui
from components.data import sandbox
from components.ui import cache
from components.ui.served_files import STATIC, CompressedFiles

INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
UPLOADS = "/_stcore/upload_file/"
HEALTH = "/_stcore/health"
CLOSED = ("/_stcore/metrics",)
"""What Streamlit tells everybody about its caches; no visitor needs it."""
FULL_UPLOADS = 5  # uploads of the largest size that one client may send within a window
WINDOW = 600.0  # seconds
USED_LATER = (
    "PIL.Image",
    "altair",
    "plotly.io",
    "plotly.subplots",
    "plotly.tools",
    "pyarrow.parquet",
)
"""What Streamlit and Plotly import when something is first drawn."""


def content_policy(page: str) -> str:
    """Say what a browser may load and run.

    Parameters
    ----------
    page : str
        The HTML of the one page; its inline scripts are allowed by their SHA-256, so that an
        upgrade of Streamlit does not blank the page, and no other inline script is.

    Returns
    -------
    str
        Value of the header Content-Security-Policy.
    """
    digests = [sha256(script.encode()).digest() for script in INLINE.findall(page)]
    own = "".join(f" 'sha256-{b64encode(digest).decode()}'" for digest in digests)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self'{own}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "media-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        )
    )


class SafeHeaders:
    """Put the headers that protect a visitor on every answer."""

    def __init__(self, app: ASGIApp, index: Path = STATIC / "index.html") -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": content_policy(index.read_text(encoding="utf-8")),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "X-Frame-Options": "SAMEORIGIN",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, send_safely)


class KnownHosts:
    """Answer only to the names in ``server.allowedHosts``, and say so to others.

    Streamlit itself checks the name at the websocket only, where a visitor would see a page that
    never finishes loading.
    """

    def __init__(self, app: ASGIApp, names: Callable[[], list[str]] | None = None) -> None:
        self._app = app
        self._names = names or (lambda: config.get_option("server.allowedHosts"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app = self._app
        if scope["type"] == "http" and scope["path"] != HEALTH:
            host = Headers(scope=scope).get("host", "")
            if not is_known(host, self._names()):
                app = PlainTextResponse(
                    "This server does not answer to the name in your address. Whoever runs it can "
                    "allow the name with --server.allowedHosts, see docs/architecture.md.\n",
                    status_code=403,
                )
            elif scope["path"].startswith(CLOSED):
                app = PlainTextResponse("Not found\n", status_code=404)
        await app(scope, receive, send)


def is_known(host: str, names: list[str]) -> bool:
    """Tell whether a Host header is one of the names; no names at all allow any.

    Parameters
    ----------
    host : str
        With or without a port.
    names : list of str
        ``*`` is any name, ``*.example.org`` any below example.org.
    """
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    return not names or any(
        known in {"*", name} or (known.startswith("*.") and name.endswith(known[1:]))
        for known in (each.strip().lower().rstrip(".") for each in names)
    )


class UploadQuota:
    """Refuse files of a client that has sent too much of late, before their first byte is read.

    Parameters
    ----------
    app : ASGI application
    most : callable, optional
        Gives the bytes that one client may send within the window.
    window : float
        Seconds.
    clock : callable
        Gives seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        most: Callable[[], int] | None = None,
        window: float = WINDOW,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app, self._window, self._clock = app, window, clock
        self._most = most or (lambda: FULL_UPLOADS * largest_upload())
        self._sent: dict[str, list[tuple[float, int]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app = self._app
        if scope["type"] == "http" and scope["method"] == "PUT" and UPLOADS in scope["path"]:
            client = (scope.get("client") or ("",))[0]
            if not self._may_send(client, Headers(scope=scope).get("content-length", "")):
                app = PlainTextResponse(
                    f"You have sent {self._most() >> 20} MB within {self._window / 60:.0f} "
                    "minutes, which is all that this server takes. Try again later.\n",
                    status_code=429,
                    headers={"Retry-After": f"{self._window:.0f}"},
                )
        await app(scope, receive, send)

    def _may_send(self, client: str, declared: str) -> bool:
        """Book what a request announces; one that does not say counts as the largest."""
        now = self._clock()
        recent = {
            name: [(when, size) for when, size in entries if now - when < self._window]
            for name, entries in self._sent.items()
        }
        self._sent = {name: entries for name, entries in recent.items() if entries}
        size = int(declared) if declared.isdecimal() else largest_upload()
        entries = self._sent.get(client, [])
        if sum(each for _, each in entries) + size > self._most():
            return False
        self._sent[client] = [*entries, (now, size)]
        return True


def largest_upload() -> int:
    """Give the bytes of the largest file that the server takes."""
    return int(config.get_option("server.maxUploadSize")) << 20


@asynccontextmanager
async def warm_start(_: object) -> AsyncIterator[None]:
    """Make ready before the first visitor what would make him wait: modules and processes."""
    own = [
        module.name
        for room in (charts, ui)
        for module in iter_modules(room.__path__, f"{room.__name__}.")
    ]
    for name in (*USED_LATER, *own):
        import_module(name)
    sandbox.warm()
    cache.jobs()
    gc.collect()
    gc.freeze()
    yield


MIDDLEWARE = [
    Middleware(SafeHeaders),
    Middleware(KnownHosts),
    Middleware(UploadQuota),
    Middleware(CompressedFiles),
]

"""Visitors without a browser: they speak Streamlit's protobuf websocket, as its page does."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

PATIENCE = 120.0  # seconds for one run of the script
GONE = -1
EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN
CHOICES = {"selectbox", "radio", "button_group", "checkbox"}


@dataclass
class Tally:
    """What all visitors together have met."""

    first: list[float] = field(default_factory=list)
    reruns: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    refreshes: int = 0
    errors: list[str] = field(default_factory=list)

    def all_reruns(self) -> list[float]:
        """Give the seconds of every rerun."""
        return [seconds for page in self.reruns.values() for seconds in page]


class Visitor:
    """One visitor of the app.

    Parameters
    ----------
    address : str
        ``host:port``.
    query : str
        Link parameters of the analysis to open.
    tally : Tally
    seed : int
    """

    def __init__(self, address: str, query: str, tally: Tally, seed: int) -> None:
        self.address, self.query, self.tally = address, query, tally
        self.draw = random.Random(seed)
        self.page = ""
        self.pages: dict[str, str] = {}
        self.offers: dict[str, tuple[str, object, str]] = {}
        self.chosen: dict[str, WidgetState] = {}
        self.refresh: dict[str, float] = {}
        self.finished: asyncio.Queue[int] = asyncio.Queue()

    async def stay(self, page: str, *, until: float, think: tuple[float, float]) -> None:
        """Open a page, then look around until the time is over."""
        async with self.connected():
            self.tally.first.append(await self.go(page))
            while time.monotonic() < until:
                await self.think(self.draw.uniform(*think))
                if self.draw.random() < 0.4 or not self.offers:
                    seconds = await self.go(self.draw.choice([name for name in self.pages if name]))
                else:
                    seconds = await self.choose()
                self.tally.reruns[self.page].append(seconds)

    async def wait_there(self, page: str, until: float) -> None:
        """Open a page whose work takes long, and wait for it."""
        async with self.connected():
            await self.go(page)
            await self.think(until - time.monotonic())

    def connected(self) -> _Connection:
        """Give the connection, to be held with ``async with``."""
        return _Connection(self)

    async def go(self, page: str) -> float:
        """Go to a page by its address; give the seconds until it stands."""
        self.page = page
        self.offers.clear()
        self.chosen.clear()
        return await self.rerun()

    async def choose(self) -> float:
        """Use one of the widgets on the page."""
        key = self.draw.choice(sorted(self.offers))
        kind, element, fragment = self.offers[key]
        state = WidgetState(id=key)
        if kind == "checkbox":
            state.bool_value = self.draw.random() < 0.5
        elif kind == "button_group":
            state.string_array_value.data.append(self.draw.choice(element.options).content)
        else:
            state.string_value = self.draw.choice(element.options)
        self.chosen[key] = state
        return await self.rerun(fragment)

    async def think(self, seconds: float) -> None:
        """Do nothing, but let parts of the page refresh themselves as a browser does."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            pause = min(self.refresh.values(), default=left)
            await asyncio.sleep(min(left, pause))
            for fragment in list(self.refresh) if pause <= left else ():
                await self.rerun(fragment, refresh=True)
                self.tally.refreshes += 1

    async def rerun(self, fragment: str = "", *, refresh: bool = False) -> float:
        """Ask for a run of the script and wait for its end; give the seconds."""
        while not self.finished.empty():
            self.finished.get_nowait()
        message = BackMsg()
        asked = message.rerun_script
        asked.query_string = self.query
        if self.page in self.pages:
            asked.page_script_hash = self.pages[self.page]
        else:
            asked.page_name = self.page
        asked.widget_states.widgets.extend(self.chosen.values())
        asked.fragment_id, asked.is_auto_rerun = fragment, refresh
        begun = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(PATIENCE):
            while (how := await self.finished.get()) == EARLY:
                pass
        if how == GONE:
            raise ConnectionError("The server has hung up.")
        return time.perf_counter() - begun

    async def listen(self) -> None:
        """Take in what the server says."""
        with suppress(websockets.ConnectionClosedError):
            async for frame in self.socket:
                self.hear(ForwardMsg.FromString(frame))
        self.finished.put_nowait(GONE)

    def hear(self, message: ForwardMsg) -> None:
        """Take in one message."""
        kind = message.WhichOneof("type")
        if kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                self.tally.errors.append(f"{self.page}: the script does not compile")
            self.finished.put_nowait(message.script_finished)
        elif kind == "navigation":
            pages = message.navigation.app_pages
            self.pages = {page.url_pathname: page.page_script_hash for page in pages}
        elif kind == "new_session":
            self.refresh.clear()
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self.refresh[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self.see(message.delta.new_element, message.delta.fragment_id)

    def see(self, element: object, fragment: str) -> None:
        """Remember a widget that can be used."""
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.tally.errors.append(f"{self.page}: {element.exception.message[:200]}")
        elif kind in CHOICES:
            widget = getattr(element, kind)
            if widget.set_value:
                self.chosen.pop(widget.id, None)
            if not widget.disabled and (kind == "checkbox" or len(widget.options) > 1):
                self.offers[widget.id] = (kind, widget, fragment)


class _Connection:
    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor

    async def __aenter__(self) -> None:
        self.visitor.socket = await websockets.connect(
            f"ws://{self.visitor.address}/_stcore/stream",
            subprotocols=["streamlit"],
            origin=f"http://{self.visitor.address}",
            max_size=None,
            proxy=None,
            open_timeout=PATIENCE,
        )
        self.listening = asyncio.create_task(self.visitor.listen())

    async def __aexit__(self, *_: object) -> None:
        await self.visitor.socket.close()
        await self.listening

"""The door of the real server: headers, origins, strangers' names, and what every page asks for."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import os
import re
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from benchmarks.load import tree
from benchmarks.visitors import Tally, Visitor

from .conftest import SETTLED, serving, settle

pytestmark = pytest.mark.browser

PROP99 = "v=1&data=prop99"
HEADERS = {
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "x-frame-options",
    "permissions-policy",
}
FIGURES = {
    "": 1,
    "data": 1,
    "design": 1,
    "method": 0,
    "weights": 1,
    "counterfactual": 1,
    "diagnose": 0,
    "influence": 1,
    "specifications": 1,
    "changes": 0,
    "compare": 1,
    "simulate": 1,
    "coverage": 1,
}
"""The charts that a page has at least, before anything is opened or computed on it."""
TABLES = """[...document.querySelectorAll('[data-testid=stDataFrame]')]
    .filter((table) => table.checkVisibility())"""


def fetch(address, path="/", *, method="GET", length=None, **headers):
    """Send one request as it is, and give status, headers and body of the answer."""
    line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    line.putrequest(method, path, skip_host="host" in headers, skip_accept_encoding=True)
    for name, value in headers.items():
        line.putheader(name.replace("_", "-"), value)
    if length is not None:
        line.putheader("content-length", str(length))
    line.endheaders()
    answer = line.getresponse()
    body = answer.read()
    line.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


@pytest.fixture
def beacon():
    """Serve a picture and a framing page from another origin, and remember who asked."""
    asked = []

    class Beacon(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            body = b""
            if self.path.startswith("/frame"):
                body = f"<iframe src='{self.path.partition('?')[2]}'></iframe>".encode()
            self.send_response(200)
            self.send_header("content-type", "text/html" if body else "image/svg+xml")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Beacon) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.asked = asked
        server.base = f"http://localhost:{server.server_port}"
        yield server
        server.shutdown()


def script_of(address):
    page = fetch(address)[2].decode()
    return "/" + re.search(r'src="\./(static/js/index\.[^"]+\.js)"', page)[1]


def test_every_kind_of_answer_has_the_headers(address):
    script = script_of(address)
    asked = {
        "/": ("GET", 200),
        "/counterfactual": ("GET", 200),
        script: ("GET", 200),
        "/_stcore/health": ("GET", 200),
        "/_stcore/host-config": ("GET", 200),
        "/_stcore/metrics": ("GET", 404),
        "/_stcore/agent/openapi.json": ("GET", 404),
        "/media/nothing.csv": ("GET", 404),
        "/_stcore/upload_file/nobody/1": ("PUT", 403),
        "//evil.invalid": ("GET", 400),
    }
    for path, (method, expected) in asked.items():
        status, headers, _ = fetch(address, path, method=method)
        assert headers.keys() >= HEADERS, path
        assert status == expected or path.startswith("/_stcore/agent"), path


def test_files_are_compressed_for_those_who_can_read_it(address):
    script = script_of(address)
    _, plain, text = fetch(address, script)
    _, packed, body = fetch(address, script, accept_encoding="gzip, deflate, br")
    assert gzip.decompress(body) == text
    assert "content-encoding" not in plain
    assert len(body) < 0.45 * len(text)
    assert packed["content-type"] == plain["content-type"]
    assert packed["cache-control"] == plain["cache-control"]
    status, _, part = fetch(address, script, accept_encoding="gzip", range="bytes=0-99")
    assert (status, part) == (206, text[:100])


@pytest.mark.parametrize(
    ("uri", "origin", "known"),
    [
        ("ws://127.0.0.1:{}", "http://127.0.0.1:{}", True),
        ("ws://localhost:{}", "http://localhost:{}", True),
        ("ws://127.0.0.1:{}", "http://evil.invalid", False),
        ("ws://evil.invalid:{}", "http://evil.invalid:{}", False),  # a rebound name
    ],
)
def test_other_origins_get_no_socket(address, uri, origin, known):
    port = urlsplit(address).port

    def call():
        with connect(
            uri.format(port) + "/_stcore/stream",
            sock=socket.create_connection(("127.0.0.1", port)),
            proxy=None,
            origin=origin.format(port),
            subprotocols=["streamlit"],
        ):
            pass

    if known:
        call()
        return
    with pytest.raises(InvalidStatus) as refusal:
        call()
    assert refusal.value.response.status_code == 403


def test_a_server_opened_under_another_name_says_so(address):
    status, headers, body = fetch(address, host="panels.example.org")
    assert status == 403
    assert b"does not answer to the name in your address" in body
    assert headers.keys() >= HEADERS


def test_uploads_are_limited_by_client(address):
    def put(client, length):
        path = "/_stcore/upload_file/nobody/1"
        return fetch(address, path, method="PUT", length=length, x_forwarded_for=client)[0]

    largest = 50 << 20
    assert [put("198.51.100.7", largest) for _ in range(6)] == [403] * 5 + [429]
    assert put("198.51.100.8", largest) == 403


def test_all_pages_draw_and_ask_nobody_else(open_page):
    page = open_page(f"counterfactual?{PROP99}")
    base = page.url.partition("/counterfactual")[0]
    answers, tables = [], 0

    def keep(answer):
        answers.append(answer)

    page.on("response", keep)
    for name, charts in FIGURES.items():
        page.goto(f"{base}/{name}?{PROP99}")
        settle(page)
        if charts:
            page.wait_for_selector(".js-plotly-plot .main-svg", timeout=60_000)
            assert page.locator(".js-plotly-plot").count() >= charts, name
        page.wait_for_function(f"{TABLES}.every((table) => table.querySelector('canvas'))")
        tables += page.evaluate(f"{TABLES}.length")
    own = [answer for answer in answers if answer.url.startswith(base)]
    assert len(own) > 100
    assert tables >= 5
    assert [answer.url for answer in own if not answer.headers.keys() >= HEADERS] == []


def test_a_download_has_the_headers_too(open_page):
    page = open_page(f"counterfactual?{PROP99}")
    with page.expect_download() as coming:
        page.get_by_role("button", name="Numbers (CSV)").click()
    answer = urllib.request.urlopen(coming.value.url, timeout=30)
    with answer:
        assert {name.lower() for name in answer.headers} >= HEADERS
        assert len(answer.read()) > 100


def test_a_picture_in_a_name_is_not_fetched(open_page, beacon):
    picture = f"{beacon.base}/x.png"
    rows = ["state,year,y,treated"]
    for unit in range(6):
        for year in range(2000, 2012):
            value = 3 * unit + (year % (unit + 3)) / 2 + year / 9
            name = f"![u{unit}]({picture}?{unit}) <img src={picture}?i{unit}>"
            rows.append(f'"{name}",{year},{value:.4f},{int(unit == 0 and year >= 2008)}')
    page = open_page(f"data?{PROP99}")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": f"![f]({picture}).csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode()}
    )
    settle(page)
    page.get_by_role("button", name="Use this table").click()
    settle(page)
    for name in ("Design", "Method", "Weights", "Counterfactual", "Diagnose", "Influence"):
        page.get_by_test_id("stPageLink").filter(has_text=name).first.click()
        settle(page)
        assert "![u0]" in page.inner_text("main")
    assert beacon.asked == []


def test_the_policy_stops_what_would_slip_through(chromium, address, beacon):
    """Pictures, scripts, requests and frames that no page of ours makes, put in by hand."""
    page = chromium.new_page()
    page.goto(beacon.base)
    page.evaluate(f"new Promise(r => {{let i = new Image(); i.onload = i.onerror = r;"
                  f" i.src = '{beacon.base}/control.svg'}})")  # fmt: skip
    assert "/control.svg" in beacon.asked
    beacon.asked.clear()
    page.goto(f"{address}/?{PROP99}")
    page.wait_for_selector(SETTLED)
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.evaluate(
        f"""() => {{
            const picture = new Image(); picture.src = '{beacon.base}/x.svg';
            const script = document.createElement('script');
            script.textContent = 'window.ran = true'; document.body.append(script);
            const frame = document.createElement('iframe');
            frame.src = '{beacon.base}/page'; document.body.append(frame);
            fetch('{beacon.base}/fetch').catch(() => 0);
            window.evaluated = 0;
            setTimeout('window.evaluated = 1', 0);
        }}"""
    )
    page.wait_for_timeout(1000)
    assert beacon.asked == []
    assert page.evaluate("[window.ran, window.evaluated]") == [None, 0]
    assert sum("Content Security Policy" in line for line in said) >= 5
    page.close()


def test_no_other_site_may_frame_the_app(chromium, address, beacon):
    page = chromium.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{beacon.base}/frame?{address}/")
    page.wait_for_timeout(1500)
    assert any("frame-ancestors" in line for line in said)
    assert all(frame.locator("#root").count() == 0 for frame in page.frames)
    page.close()


def visit(base, page, query, *, seconds=0.0):
    """Open a page without a browser; give what went wrong."""
    tally = Tally()
    visitor = Visitor(urlsplit(base).netloc, query, tally, 0)

    def stay():
        asyncio.run(visitor.wait_there(page, time.monotonic() + seconds))

    with ThreadPoolExecutor(1) as aside:  # Playwright has a loop of its own in this thread
        aside.submit(stay).result()
    return tally.errors, visitor


@pytest.mark.parametrize(
    "words",
    [
        ("streamlit", "run", "app.py", "--server.port"),
        ("uvicorn", "asgi:app", "--log-level", "error", "--port"),
    ],
    ids=["streamlit run app.py", "uvicorn asgi:app"],
)
def test_other_ways_to_start_it_work(tmp_path, words):
    with serving(tmp_path / "log.txt", *words) as (base, _):
        errors, visitor = visit(base, "counterfactual", PROP99)
        assert errors == []
        assert {"weights", "diagnose", "compare"} <= visitor.pages.keys()
        assert (fetch(base)[1].keys() >= HEADERS) is (words[0] == "uvicorn")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_killed_server_leaves_no_process_behind(tmp_path):
    words = ("streamlit", "run", "asgi.py", "--server.port")
    with serving(tmp_path / "log.txt", *words) as (base, server):
        query = "v=1&data=staggered&inference=bootstrap(n_draws%3D9000)"
        visitor = threading.Thread(target=_visit_until_cut, args=(base, query), daemon=True)
        visitor.start()
        for _ in range(100):
            time.sleep(0.2)
            family = tree(server.pid)
            if len(family) >= 4:
                break
        assert len(family) >= 4, "the server, its two programs and the job"
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        visitor.join()
        until = time.monotonic() + 5
        while time.monotonic() < until and any(_alive(pid) for pid in family):
            time.sleep(0.1)
        assert [pid for pid in family if _alive(pid)] == []


def _visit_until_cut(base, query):
    """Keep a job going; however the line breaks when the server is killed is all right."""
    with suppress(Exception):
        visit(base, "counterfactual", query, seconds=60)


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

"""The real app in a real browser."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
from playwright.sync_api import Error, sync_playwright

from conftest import ROOT

QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SETTLED = (
    "[data-testid=stApp][data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"
)
PROBES = re.compile(r"/\w+/_stcore/(health|host-config)$")
"""Where Streamlit's page looks first after a link to one of several pages; it gets a 404."""
REPLACED = re.compile(r"/media/|Download Button source error - 404")
"""Of a file that newer results have replaced before Chromium has looked whether it is there."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(log, *words):
    """Start a server for a while; a port follows the last word."""
    port = free_port()
    command = [sys.executable, "-m", *words, str(port)]
    environment = {**os.environ, "PYTHONWARNINGS": "default"}
    with (
        log.open("w") as out,
        subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env=environment
        ) as server,
    ):
        base = f"http://127.0.0.1:{port}"
        for _ in range(240):
            try:
                with urllib.request.urlopen(f"{base}/_stcore/health", timeout=2):
                    break
            except (urllib.error.URLError, OSError):
                time.sleep(0.25)
        else:
            server.kill()
            pytest.fail(f"the app did not start: {log.read_text()}")
        try:
            yield base, server
        finally:
            server.terminate()
            server.wait(timeout=20)
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """Start the app as a user would, and stop it after the last test."""
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with serving(log, "streamlit", "run", "asgi.py", "--server.port") as (base, _):
        yield base


@pytest.fixture(scope="session")
def chromium():
    """Open a Chromium: the system's own, or the one that Playwright has installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        except Error as error:
            pytest.fail(f"no Chromium could be started; run `make browser` first. {error}")
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, address):
    """Open pages of the app, each in a clean browser context, and watch what they do."""
    contexts, troubles = [], []

    def watch(request):
        if not request.url.startswith((address, "data:", "blob:")):
            troubles.append(f"asked for {request.url}")

    def listen(message):
        # Chromium reports here what the content security policy forbids, too.
        url, text = message.location["url"], message.text
        expected = PROBES.search(url) or ("404" in text and REPLACED.search(f"{url} {text}"))
        if message.type == "error" and not expected:
            troubles.append(f"console: {text}")

    def open_at(path="", *, width=1280, height=1600, scheme="light"):
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            accept_downloads=True,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("request", watch)
        page.on("console", listen)
        page.on("pageerror", lambda error: troubles.append(f"page error {error}"))
        page.goto(f"{address}/{path}")
        settle(page)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert not troubles


def settle(page):
    """Wait until the app has finished its run, and has not begun another."""
    page.wait_for_timeout(250)
    page.wait_for_selector(SETTLED)
    page.wait_for_timeout(250)
    page.wait_for_selector(SETTLED)
    assert page.get_by_test_id("stException").count() == 0

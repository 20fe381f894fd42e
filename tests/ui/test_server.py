"""The server's door by itself: what each middleware lets pass, refuses and adds."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.responses import PlainTextResponse

from components.ui import server

PAGE = "<html><script>let a = 1\n</script><script src='./x.js'></script><script>b()</script></html>"


def run(coroutine):
    """Run it in a thread of its own: the browser tests may keep a loop in this one."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, coroutine).result()


async def inner(scope, receive, send):
    await PlainTextResponse("inside")(scope, receive, send)


def ask(app, path="/", *, method="GET", client="198.51.100.1", kind="http", **headers):
    """Send one request and give status, headers and body of the answer."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    pairs = {"host": "localhost:8501"} | headers
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "client": (client, 5),
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in pairs.items()],
    }
    run(app(scope, receive, send))
    start = {k.decode(): v.decode() for k, v in sent[0].get("headers", [])}
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0].get("status"), start, body


def directives(policy):
    return {words.split()[0]: words.split()[1:] for words in policy.split("; ")}


def test_the_policy_allows_the_inline_scripts_of_this_very_page_and_no_others():
    rules = directives(server.content_policy(PAGE))
    digests = [hashlib.sha256(text).digest() for text in (b"let a = 1\n", b"b()")]
    allowed = [f"'sha256-{b64encode(digest).decode()}'" for digest in digests]
    assert rules["script-src"] == ["'self'", *allowed]
    assert rules["object-src"] == rules["base-uri"] == ["'none'"]
    assert rules["frame-ancestors"] == rules["connect-src"] == ["'self'"]


def test_the_policy_for_the_installed_page_allows_no_inline_script_and_no_eval():
    page = (server.STATIC / "index.html").read_text(encoding="utf-8")
    rules = directives(server.content_policy(page))
    assert len(rules["script-src"]) == 1 + page.count("<script>")
    words = {word for name, values in rules.items() if name != "style-src" for word in values}
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:"} & words


def test_every_answer_has_the_five_headers():
    status, headers, body = ask(server.SafeHeaders(inner))
    assert (status, body) == (200, b"inside")
    assert headers["content-security-policy"].startswith("default-src 'self'; script-src 'self' '")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert "camera=()" in headers["permissions-policy"]


@pytest.mark.parametrize(
    "door", [server.SafeHeaders, server.KnownHosts, server.UploadQuota, server.CompressedFiles]
)
def test_websockets_pass_untouched(door):
    seen = []

    async def sockets(scope, receive, send):
        seen.append((scope["path"], receive, send))

    async def nothing(_=None):
        pass

    scope = {"type": "websocket", "path": "/_stcore/stream", "headers": [], "client": None}
    run(door(sockets)(scope, nothing, nothing))
    assert seen == [("/_stcore/stream", nothing, nothing)]


NAMES = ["localhost", "127.0.0.1", "*.example.org"]


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost", True),
        ("LOCALHOST:8501", True),
        ("localhost.:8501", True),
        ("127.0.0.1:8501", True),
        ("a.example.org", True),
        ("example.org", False),
        ("badexample.org", False),
        ("evil.invalid:8501", False),
        ("localhost.evil.invalid", False),
        ("localhost@evil.invalid", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_the_server_knows_its_names(host, known):
    assert server.is_known(host, NAMES) is known
    assert server.is_known(host, []) or host == "[::1"
    status, _, body = ask(server.KnownHosts(inner, lambda: NAMES), host=host)
    assert status == (200 if known else 403)
    assert known or b"does not answer to the name" in body
    assert ask(server.KnownHosts(inner, lambda: NAMES), server.HEALTH, host=host)[0] == 200


def test_nobody_is_told_about_the_caches():
    assert ask(server.KnownHosts(inner, lambda: NAMES), "/_stcore/metrics")[0] == 404


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def put(app, size, client="198.51.100.1", path="/_stcore/upload_file/session/file"):
    headers = {} if size is None else {"content_length": str(size)}
    return ask(app, path, method="PUT", client=client, **headers)


def test_a_client_that_sends_too_much_is_refused_until_later():
    clock = Clock()
    app = server.UploadQuota(inner, lambda: 5 << 20, 600, clock)
    clock.now = 1.0
    assert [put(app, 1 << 20)[0] for _ in range(5)] == [200] * 5
    status, headers, body = put(app, 1)
    assert (status, headers["retry-after"]) == (429, "600")
    assert b"5 MB within 10 minutes" in body
    assert put(app, 1 << 20, client="198.51.100.2")[0] == 200
    assert ask(app, "/_stcore/upload_file/session/file", method="DELETE")[0] == 200
    clock.now = 602.0
    assert put(app, 5 << 20)[0] == 200


@pytest.mark.parametrize("size", [None, "many", "-1"])
def test_a_file_of_unknown_size_counts_as_the_largest(size):
    app = server.UploadQuota(inner, lambda: 2 * server.largest_upload())
    assert [put(app, size)[0] for _ in range(3)] == [200, 200, 429]


def test_whoever_sends_the_largest_file_a_few_times_is_let_in():
    app = server.UploadQuota(inner)
    sizes = [server.largest_upload()] * 4
    assert [put(app, size)[0] for size in sizes] == [200] * 4
    assert [put(app, size)[0] for size in sizes[:2]] == [200, 429]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "static" / "js").mkdir(parents=True)
    (tmp_path / "static" / "js" / "a.js").write_bytes(b"let a = 1;\n" * 500)
    (tmp_path / "static" / "js" / "small.js").write_bytes(b"1")
    (tmp_path / "static" / "font.woff2").write_bytes(b"x" * 5000)
    (tmp_path / "secret.js").write_bytes(b"y" * 5000)
    return tmp_path


def test_files_go_out_compressed(folder):
    app = server.CompressedFiles(inner, folder)
    status, headers, body = ask(app, "/static/js/a.js", accept_encoding="gzip, br")
    assert status == 200
    assert gzip.decompress(body) == b"let a = 1;\n" * 500
    assert headers["content-encoding"] == "gzip"
    assert headers["vary"] == "Accept-Encoding"
    assert headers["content-length"] == str(len(body))
    assert "javascript" in headers["content-type"]
    assert "immutable" in headers["cache-control"]


@pytest.mark.parametrize(
    ("path", "how"),
    [
        ("/static/js/a.js", {}),
        ("/static/js/a.js", {"accept_encoding": "br"}),
        ("/static/js/a.js", {"accept_encoding": "gzip", "range": "bytes=0-9"}),
        ("/static/js/a.js", {"accept_encoding": "gzip", "method": "HEAD"}),
        ("/static/js/small.js", {"accept_encoding": "gzip"}),
        ("/static/font.woff2", {"accept_encoding": "gzip"}),
        ("/static/../secret.js", {"accept_encoding": "gzip"}),
        ("/secret.js", {"accept_encoding": "gzip"}),
        ("/", {"accept_encoding": "gzip"}),
    ],
)
def test_all_else_is_left_to_streamlit(folder, path, how):
    status, headers, body = ask(server.CompressedFiles(inner, folder), path, **how)
    assert (status, body) == (200, b"inside")
    assert "content-encoding" not in headers

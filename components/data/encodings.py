"""From bytes to text: found where the bytes tell, asked where they do not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NoReturn

from components.data.ledger import Entry, shown
from components.data.questions import Option, QuestionError
from components.data.reading import ENCODINGS
from components.data.table import CONTROL, raise_control
from components.data.western import seems_western
from components.errors import DataError

MARKED = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
SAMPLE_BYTES = 4096
SAMPLE_LINES = 300
MOST_OPTIONS = 7
SHOWN_CELLS = 3


def _latin(word: str) -> bool:
    """Whether a word of UTF-7 stands for letters with accents."""
    try:
        plain = word.encode().decode("utf-7")
    except UnicodeDecodeError:
        return False
    return all("\u00c0" <= letter < "\u0250" for letter in plain)


GARBLED: tuple[tuple[re.Pattern[str], str, Callable[[str], bool]], ...] = (
    (re.compile("[ÃÂ][\u0080-\u00bf]|â€."), "a letter saved in a wrong encoding before", bool),
    (re.compile(r"\+[A-Za-z0-9+/]{3,}-"), "letters of the old encoding UTF-7", _latin),
    (re.compile(r"~\{[!-~]{2,80}~\}"), "Chinese in the old encoding HZ", bool),
)
HINT = "Save the table again as CSV in UTF-8, or as an Excel workbook."


def decode(data: bytes, encoding: str | None, entries: list[Entry]) -> tuple[str, str]:
    """Turn bytes into text.

    Parameters
    ----------
    data : bytes
    encoding : str, optional
        A key of ``ENCODINGS``; None finds it: a byte order mark, UTF-8, UTF-16 or UTF-32 without a
        mark, or Windows-1252 where the letters look Western European.
    entries : list of Entry
        What was found is added where it is not UTF-8.

    Returns
    -------
    encoding : str
        For Python.
    text : str

    Raises
    ------
    QuestionError
        Where several encodings fit; each option shows some cells.
    DataError
        Naming the line with bytes that are no text.
    """
    marked = next((known for mark, known in MARKED if data.startswith(mark)), None)
    if encoding is not None:
        found = marked if marked and encoding.startswith(marked[:6]) else encoding
    else:
        found = marked or _unmarked(data, entries) or "utf-8"
    try:
        text = data.decode(found)
    except UnicodeDecodeError as error:
        if encoding is not None or found != "utf-8":
            name = ENCODINGS.get(encoding or "", found[:6].upper())
            _refuse(f"Line {_line(data, error)} holds bytes that are not {name}.", error)
        found, text = _western(data, error, entries)
    control = re.search(f"[{CONTROL}]", text)
    if control:
        raise_control(f"Line {text.count(chr(10), 0, control.start()) + 1}")
    if encoding is None:
        entries += _doubts(text)
    else:
        sentence = f"Letters read as {ENCODINGS[encoding]}, as chosen."
        entries.append(Entry("read", sentence, 1))
    return found, text


def _doubts(text: str) -> Iterator[Entry]:
    """Say where letters seem to have been garbled before, or written in a way long gone."""
    for pattern, what, means in GARBLED:
        match = next((m for m in pattern.finditer(text) if means(m[0])), None)
        if match is not None:
            line = text.count("\n", 0, match.start()) + 1
            where = f"line {line}"
            sentence = f"{shown(match[0])} on {where} looks like {what}; it stays as it stands."
            yield Entry("read", sentence, 1, (where,), doubtful=True)


def is_marked(data: bytes) -> bool:
    """Tell whether bytes begin with a byte order mark."""
    return any(data.startswith(mark) for mark, _ in MARKED)


def _unmarked(data: bytes, entries: list[Entry]) -> str | None:
    """Find UTF-16 and UTF-32 without a mark by the zeros beside every plain letter."""
    head = data[:SAMPLE_BYTES]
    if b"\x00" not in head:
        return None
    for encoding in WIDE:
        step = 4 if encoding.startswith("utf-32") else 2
        if len(data) % step:
            continue
        try:
            text = head[: len(head) // 4 * 4 if len(data) > len(head) else None].decode(encoding)
        except UnicodeDecodeError:
            continue
        plain = sum(letter.isascii() for letter in text)
        if plain > len(text) / 4 and not re.search(f"[{CONTROL}]", text):
            name = encoding[:6].upper()
            entries.append(
                Entry("read", f"Letters read as {name}, without a mark that says so.", 1)
            )
            return encoding
    return None


def _western(data: bytes, error: UnicodeDecodeError, entries: list[Entry]) -> tuple[str, str]:
    line = _line(data, error)
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        pass
    else:
        _refuse(f"Line {line} holds half a character (a lone surrogate).", error)
    good = data.decode("utf-8", "replace")
    if sum(map(str.isalpha, re.findall(r"[^\x00-\x7f\ufffd]", good))) > good.count("\ufffd"):
        _refuse(f"Line {line} holds bytes that are not UTF-8; the rest is UTF-8.", error)
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        _ask(data, f"Line {line}", error)
    if not seems_western(text):
        _ask(data, f"Line {line}", error)
    entries.append(_as_western("file"))
    return "cp1252", text


def _as_western(what: str) -> Entry:
    sentence = (
        f"The {what} is not UTF-8 and was read as Windows-1252 (Western European): look at the "
        "letters with accents."
    )
    return Entry("converted", sentence, 1, doubtful=True)


def encoding_of(cells: bytes, what: str, entries: list[Entry]) -> str:
    """Find the encoding of cells from a file that does not say it, as of Stata before 14.

    Parameters
    ----------
    cells : bytes
        All different cells with letters beyond ASCII, one on each line.
    what : str
        What they are, for messages.
    entries : list of Entry
        What was found is added.

    Returns
    -------
    str
        For Python.

    Raises
    ------
    QuestionError
        Where the letters are not Western European, or not surely.
    """
    for encoding in ("utf-8", "cp1252"):
        try:
            text = cells.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8" or seems_western(text):
            entries += [_as_western(what)] if encoding == "cp1252" else []
            return encoding
    return _ask(cells, f"The {what}", None)


def _ask(data: bytes, where: str, error: UnicodeDecodeError | None) -> NoReturn:
    """Show some cells in every encoding that fits, the likely ones first."""
    lines = [raw for raw in data.splitlines() if not raw.isascii()][:SAMPLE_LINES]
    sample = b"\n".join(lines)
    previews: dict[str, str] = {}
    for encoding in _likely(sample):
        try:
            data.decode(encoding)
            text = sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        cells = [cell.strip() for cell in re.split(r'[\n,;\t|"]', text) if not cell.isascii()]
        preview = ", ".join(shown(cell)[1:-1] for cell in [*dict.fromkeys(cells)][:SHOWN_CELLS])
        odd = re.search("[\x80-\x9f\ue000-\uf8ff\ufffd]", text)
        if not odd and preview and preview not in previews.values():
            previews[encoding] = preview
    if not previews:
        _refuse(f"{where} is neither UTF-8 nor Windows-1252.", error)
    order = sorted(previews, key=lambda key: _oddness(sample.decode(key)))
    previews = {key: previews[key] for key in order}
    options = [Option(key, f"{cells} - {ENCODINGS[key]}") for key, cells in previews.items()]
    raise QuestionError(
        f"{where} holds letters that can be read in several ways; the file does not say in which.",
        hint=f"Choose the answer that reads well. If there is none: {HINT[:1].lower()}{HINT[1:]}",
        field="reading.encoding",
        options=tuple(options[:MOST_OPTIONS]),
    ) from error


def _likely(sample: bytes) -> list[str]:
    """Order the encodings by how well they explain the bytes."""
    from charset_normalizer import from_bytes  # noqa: PLC0415  (seldom needed, and slow to load)

    able = [key for key in ENCODINGS if not key.startswith("utf")]
    ranked = []
    for match in from_bytes(sample, cp_isolation=able, threshold=0.6, explain=False):
        names = {_plain(name) for name in (match.encoding, *match.could_be_from_charset)}
        ranked += [key for key in able if _plain(key) in names]
    return list(dict.fromkeys([*ranked, *able]))


def _oddness(text: str) -> int:
    """Count what no language writes: signs for letters, two scripts or odd capitals in a word."""
    odd = sum(
        1 for letter in text if not letter.isascii() and not letter.isalpha() and letter != "€"
    )
    for word in re.findall(r"[^\W\d_]+", text):
        scripts = {unicodedata.name(letter, "?").split(" ")[0] for letter in word}
        odd += len(scripts - {"HIRAGANA", "KATAKANA", "CJK"}) > 1
        odd += any(a.islower() and b.isupper() for a, b in pairwise(word))
    return odd


def _plain(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower()).replace("latin1", "iso88591")


def _line(data: bytes, error: UnicodeDecodeError) -> int:
    return data.count(b"\n", 0, error.start) + 1


def _refuse(message: str, error: UnicodeDecodeError | None) -> NoReturn:
    raise DataError(message, hint=HINT) from error

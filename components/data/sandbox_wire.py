"""Values through a pipe to and from a process that is not trusted: JSON and Arrow, nothing else.

Whoever reads can be given wrong values, but never code: a name that arrives is looked up only among
the frozen dataclasses and errors of ``components``.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from components.data.table import as_arrow, as_text
from components.errors import PanelscopeError

CHUNK = 4 * 2**20
LONGEST_HEAD = 16 * 2**20
PLAIN = (str, bool, int, float, type(None))
HOME = ("components.data.", "components.errors:")


class TooLongError(Exception):
    """An answer is larger than what the reader takes."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


def send(pipe: Connection, kind: str, value: object, most: int) -> None:
    """Send one message.

    Parameters
    ----------
    pipe : multiprocessing.connection.Connection
    kind : str
        What sort of message.
    value : object
        Text, numbers, bytes, tuples, lists, dicts, frames of text, arrays, and frozen dataclasses
        or errors of ``components`` that hold such.
    most : int
        Bytes that the attachments may have together.

    Raises
    ------
    TooLongError
        Where they have more; nothing was sent.
    TypeError
        Where the value holds something else.
    """
    attachments: list[pa.Buffer] = []
    form = _encode(value, attachments)
    sizes = [attachment.size for attachment in attachments]
    if sum(sizes) > most:
        raise TooLongError(sum(sizes))
    head = json.dumps([kind, form, sizes]).encode()
    if len(head) > LONGEST_HEAD:
        raise TooLongError(len(head))
    pipe.send_bytes(head)
    for attachment in attachments:
        view = memoryview(attachment)
        for start in range(0, len(view), CHUNK):
            pipe.send_bytes(view[start : start + CHUNK])


def receive(
    pipe: Connection, most: int, ready: Callable[[], None] = lambda: None
) -> tuple[str, Any]:
    """Receive one message.

    Parameters
    ----------
    pipe : multiprocessing.connection.Connection
    most : int
        Bytes that the attachments may have together.
    ready : callable
        Waits until there is something to read, or raises.

    Returns
    -------
    kind : str
    value : object

    Raises
    ------
    TooLongError
        Where the message is longer than allowed.
    EOFError, OSError
        Where the other side has hung up.
    ValueError, KeyError, TypeError, AttributeError, ImportError, pyarrow.ArrowException
        Where the message is no message.
    """
    ready()
    kind, form, sizes = json.loads(pipe.recv_bytes(LONGEST_HEAD))
    if any(size < 0 for size in sizes) or sum(sizes) > most:
        raise TooLongError(sum(sizes))
    attachments = []
    for size in sizes:
        buffer = pa.allocate_buffer(size)
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < size:
            ready()
            part = pipe.recv_bytes(CHUNK)
            view[filled : filled + len(part)] = part
            filled += len(part)
        attachments.append(buffer)
    return kind, _decode(form, attachments)


def _encode(value: object, attachments: list[pa.Buffer]) -> Any:
    if isinstance(value, PLAIN):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, (tuple, list)):
        name = "tuple" if isinstance(value, tuple) else "list"
        return [name, [_encode(part, attachments) for part in value]]
    if isinstance(value, dict):
        pairs = value.items()
        return ["dict", [[_encode(k, attachments), _encode(v, attachments)] for k, v in pairs]]
    if isinstance(value, (bytes, bytearray, memoryview)):
        attachments.append(pa.py_buffer(value))
        return ["bytes", len(attachments) - 1]
    if isinstance(value, np.ndarray):
        attachments.append(_stream([pa.array(value.ravel())]))
        return ["array", len(attachments) - 1, str(value.dtype), list(value.shape)]
    if isinstance(value, pd.DataFrame):
        attachments.append(_stream([as_arrow(value.iloc[:, i]) for i in range(value.shape[1])]))
        return ["frame", len(attachments) - 1, [str(name) for name in value.columns]]
    name = f"{type(value).__module__}:{type(value).__qualname__}"
    if isinstance(value, PanelscopeError):
        more = {key: part for key, part in vars(value).items() if key not in ("message", "hint")}
        return ["error", name, value.message, value.hint, _encode(more, attachments)]
    if dataclasses.is_dataclass(value) and name.startswith(HOME):
        fields = [field.name for field in dataclasses.fields(value) if field.init]
        return ["made", name, {key: _encode(getattr(value, key), attachments) for key in fields}]
    raise TypeError(f"Values of type {name} do not go through the pipe.")


def _decode(form: Any, attachments: list[pa.Buffer]) -> Any:
    if not isinstance(form, list):
        return form
    kind, *rest = form
    if kind in ("tuple", "list"):
        parts = [_decode(part, attachments) for part in rest[0]]
        return tuple(parts) if kind == "tuple" else parts
    if kind == "dict":
        return {_decode(k, attachments): _decode(v, attachments) for k, v in rest[0]}
    if kind == "bytes":
        return attachments[rest[0]].to_pybytes()
    if kind == "array":
        values = _columns(attachments[rest[0]])[0].to_numpy()
        return values.astype(np.dtype(rest[1]), copy=False).reshape(rest[2])
    if kind == "frame":
        texts = map(as_text, _columns(attachments[rest[0]]))
        frame = pd.DataFrame(dict(enumerate(texts)))
        frame.columns = pd.Index(rest[1], dtype="str")
        return frame
    return _remade(kind, rest, attachments)


def _remade(kind: str, rest: list[Any], attachments: list[pa.Buffer]) -> Any:
    module, _, name = rest[0].partition(":")
    found = getattr(import_module(module), name, None) if rest[0].startswith(HOME) else None
    if not isinstance(found, type) or found.__module__ != module:
        raise TypeError(f"There is no {kind} named {rest[0][:80]!r}.")
    if kind == "error" and issubclass(found, PanelscopeError):
        error = found.__new__(found)
        PanelscopeError.__init__(error, str(rest[1]), hint=str(rest[2]))
        vars(error).update(_decode(rest[3], attachments))
        return error
    if kind == "made" and dataclasses.is_dataclass(found):
        return found(**{key: _decode(part, attachments) for key, part in rest[1].items()})
    raise TypeError(f"{rest[0][:80]!r} is no {kind}.")


def _stream(columns: list[Any]) -> pa.Buffer:
    """Write columns of equal length as an Arrow stream."""
    table = pa.table(columns, names=[str(number) for number in range(len(columns))])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _columns(buffer: pa.Buffer) -> list[pa.ChunkedArray]:
    """Read the columns of an Arrow stream without a copy, and check all that is in them."""
    table = pa.ipc.open_stream(buffer).read_all()
    table.validate(full=True)
    return [*table.columns]

"""Tables that whoever runs the server offers: folders too big to upload, and databases.

A file named by the environment variable ``PANELSCOPE_SOURCES`` says where they are (see
docs/sources.md). A visitor chooses among them, their columns and how to sum them up, and nothing
else: no path, address or query text ever comes from the screen. Reading happens in a process of its
own.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from components.data.ledger import shown
from components.data.sandbox_pool import Sandbox
from components.data.sandbox_talk import Limits
from components.data.sources_config import (
    AGGREGATES,
    KINDS,
    TRUNCATIONS,
    Source,
    SourceColumn,
    SourceInfo,
    SourceQuery,
    read_config,
)
from components.data.table import Table
from components.errors import DataError

__all__ = [
    "AGGREGATES",
    "KINDS",
    "TRUNCATIONS",
    "VARIABLE",
    "SourceColumn",
    "SourceInfo",
    "SourceQuery",
    "list_sources",
    "read_source",
    "source_columns",
]

VARIABLE = "PANELSCOPE_SOURCES"
SECONDS_TO_DESCRIBE = 30.0
SPARE = 3 << 30  # address space beside the memory that a source may use
TEMPORARY = "panelscope-source-"
HINT = "Sum up to longer periods, or ask whoever runs this server for a smaller table."
READING = Sandbox(("components.data.sources_read",), os.environ)


def list_sources() -> Mapping[str, SourceInfo]:
    """Give what the server offers, in the order of the file.

    Returns
    -------
    mapping of str to SourceInfo
        Empty where ``PANELSCOPE_SOURCES`` is not set.

    Raises
    ------
    DataError
        Where the file cannot be understood.
    """
    return {key: source.info for key, source in _sources().items()}


def source_columns(key: str) -> tuple[SourceColumn, ...]:
    """Give the columns of a source.

    Parameters
    ----------
    key : str
        A key of `list_sources`.

    Returns
    -------
    tuple of SourceColumn

    Raises
    ------
    DataError
        Where there is no such source, or it cannot be reached.
    """
    limits = Limits(SPARE, SECONDS_TO_DESCRIBE, file_size=None, hint=HINT)
    columns = READING.run("components.data.sources_read:describe", _source(key), limits=limits)
    assert isinstance(columns, tuple)
    return columns


def read_source(query: SourceQuery, progress: Callable[[float], None] | None = None) -> Table:
    """Read what a query asks of a source.

    Parameters
    ----------
    query : SourceQuery
    progress : callable, optional
        Called many times a second with the share that is done, 0 where that is not known; whatever
        it raises cancels the reading at once.

    Returns
    -------
    Table
        One row per unit and period, or the rows as they are where nothing is summed up, in a fixed
        order. Its digest is the SHA-256 of the source's key, the query and the content of all rows.

    Raises
    ------
    DataError
        Where the source, a column or a value does not allow it; where there are too many rows; or
        where it takes too long or a package is missing.
    """
    source = _source(query.source)
    limits = Limits(source.memory + SPARE, source.seconds, file_size=None, hint=HINT)
    place = _temporary(source)
    try:
        table = READING.run(
            "components.data.sources_read:read",
            source,
            query,
            str(place),
            limits=limits,
            progress=progress,
            told=True,
        )
    finally:
        shutil.rmtree(place, ignore_errors=True)
    assert isinstance(table, Table)
    return replace(table, reading=replace(table.reading, query=query))


def _sources() -> Mapping[str, Source]:
    name = os.environ.get(VARIABLE)
    return read_config(Path(name)) if name else {}


def _source(key: str) -> Source:
    sources = _sources()
    if key not in sources:
        raise DataError(
            f"This server offers no source named {shown(key)}.",
            hint=f"Choose one of: {', '.join(sources)}." if sources else "Upload a file instead.",
        )
    return sources[key]


def _temporary(source: Source) -> Path:
    """Make a private folder for what does not fit into memory; sweep out those of dead servers."""
    place = Path(source.temporary or tempfile.gettempdir())
    for left in place.glob(f"{TEMPORARY}*"):
        owner = left.name.removeprefix(TEMPORARY).partition("-")[0]
        if owner.isdecimal() and not _alive(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{TEMPORARY}{os.getpid()}-", dir=place))


def _alive(pid: int) -> bool:
    if sys.platform == "win32":  # asking would end it there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

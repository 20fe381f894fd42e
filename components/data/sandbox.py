"""Read strangers' bytes in a process of its own, so that no file can harm the server.

A crash, a bomb or an endless loop ends the child, never the server, and comes back as a
`DataError`. Children are forked from a small program that has imported the readers already:
``multiprocessing`` would run the server's main script in every child, which under Streamlit is the
whole app. Where there is no fork, each call starts a new interpreter, and only the limits of time
and size hold; macOS does not enforce the limit of memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from components.data.sandbox_pool import Sandbox
from components.data.sandbox_talk import Limits
from components.data.table import Table

__all__ = ["READING", "Limits", "Sandbox", "read_table_safely", "warm"]

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "LD_LIBRARY_PATH", "TMPDIR")
READERS = (
    "components.data",
    "pandas.io.stata",
    "pyarrow.parquet",
    "charset_normalizer",
    "encodings.utf_16",
    "encodings.cp1252",
)
READING = Sandbox(READERS, {name: os.environ[name] for name in KEPT if name in os.environ})


def read_table_safely(
    data: bytes,
    name: str,
    *,
    limits: Limits | None = None,
    progress: Callable[[float], None] | None = None,
    **options: object,
) -> Table:
    """Read a table in a confined process.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What the user calls it; for display only.
    limits : Limits, optional
    progress : callable, optional
        Called many times a second while the file is read; what it raises ends the reading.
    **options
        As `components.data.read_table`.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        As `components.data.read_table`; or if reading took too long, needed too much memory, or
        broke the reader.
    """
    table = READING.run(
        "components.data.upload:read_table",
        data,
        name,
        limits=limits or Limits(),
        size=len(data),
        progress=progress,
        options=options,
    )
    assert isinstance(table, Table)
    return table


def warm() -> None:
    """Start the program that readers are forked from, so that the first upload is quick."""
    READING.warm()

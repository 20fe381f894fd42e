"""What a source gave back, and from its rows to a table of text."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass, replace
from hashlib import sha256
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.data.columnar import read_parquet
from components.data.ledger import Entry, counted, shown
from components.data.sources_config import AGGREGATES, Source, SourceQuery
from components.data.table import Table, as_arrow
from components.errors import DataError

FORMATS = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y", "week": "%G-W%V"}
PACKAGES = {"duckdb": "duckdb", "sqlalchemy": "sqlalchemy", "psycopg": '"psycopg[binary]"'}


@dataclass(frozen=True, eq=False)
class Rows:
    """What a source gave back.

    Attributes
    ----------
    cells : pyarrow.Table
        Columns ``unit``, ``time``, ``outcome`` and perhaps ``treatment``; where rows were summed
        up also ``rows`` and ``known`` (how many there were, and how many with an outcome), and
        perhaps ``lowest`` and ``flags`` (the other end of treatment, and how many rows told it).
    remarks : tuple of str
        What else is to be said, in sentences.
    """

    cells: pa.Table
    remarks: tuple[str, ...] = ()


def needed(name: str) -> ModuleType:
    """Import a package that only sources need.

    Raises
    ------
    DataError
        With the line that installs it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DataError(
            f"This source needs the package {name}, which is not installed on the server.",
            hint=f"Whoever runs the server can run: pip install {PACKAGES[name]}",
        ) from error


def refuse_too_many(source: Source) -> None:
    """Say that more rows came than the source may give.

    Raises
    ------
    DataError
        Always.
    """
    raise DataError(
        f"There are more than {source.rows:,} rows, the most that {shown(source.title)} may give.",
        hint="Sum up to longer periods, or choose another column for the unit.",
    )


def tabulate(source: Source, query: SourceQuery, rows: Rows) -> Table:
    """Turn the rows of a source into a table of text, and say all that happened to them.

    Parameters
    ----------
    source : Source
    query : SourceQuery
    rows : Rows

    Returns
    -------
    Table

    Raises
    ------
    DataError
        Where nothing is left, treatment changes within a cell, or a value is no text.
    """
    cells = rows.cells
    if cells.num_rows > source.rows:
        refuse_too_many(source)
    entries = [Entry("read", remark, 1) for remark in rows.remarks]
    if query.aggregate is not None:
        cells = _placed(cells, query, entries)
        _check_treatment(cells, query, entries)
    if cells.num_rows == 0:
        raise DataError(
            f"{shown(source.title)} holds no rows for these columns.", hint="Choose other columns."
        )
    time = cells["time"]
    if query.truncation is not None:
        time = _written(time, query.truncation)
    columns = [cells["unit"], time, cells["outcome"]]
    if query.treatment is not None:
        columns.append(cells["treatment"])
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, names=list(query.header)), sink)
    table = read_parquet(sink.getvalue().to_pybytes(), name=source.title, digest="")
    notes = (*entries, *table.entries)
    return replace(table, digest=_digest(query, table), kind="frame", entries=notes)


def _placed(cells: pa.Table, query: SourceQuery, entries: list[Entry]) -> pa.Table:
    """Leave out rows without unit or time, and count what went into the cells."""
    lost = pc.or_(pc.is_null(cells["unit"]), pc.is_null(cells["time"]))
    total = int(pc.sum(cells["rows"]).as_py() or 0)
    dropped = int(pc.sum(cells["rows"].filter(lost)).as_py() or 0)
    cells = cells.filter(pc.invert(lost))
    known = int(pc.sum(cells["known"]).as_py() or 0)
    periods = f" {query.truncation}s" if query.truncation else " periods"
    how = AGGREGATES[query.aggregate].partition(" ")[0]
    entries.append(
        Entry(
            "converted",
            f"{counted(total, 'row')} summed up to {counted(cells.num_rows, 'cell')} of units and"
            f"{periods}: the {how} of {shown(query.header[2])}.",
            total,
        )
    )
    if dropped:
        sentence = f"{counted(dropped, 'row')} without a unit or a time left out."
        entries.append(Entry("dropped", sentence, dropped))
    if known < total - dropped:
        missing = total - dropped - known
        sentence = f"{counted(missing, 'row')} without an outcome did not enter the {how}."
        entries.append(Entry("missing", sentence, missing))
    return cells


def _check_treatment(cells: pa.Table, query: SourceQuery, entries: list[Entry]) -> None:
    if query.treatment is None:
        return
    untold = int(pc.sum(pc.subtract(cells["rows"], cells["flags"])).as_py() or 0)
    if untold:
        sentence = (
            f"{counted(untold, 'row')} without a value of {shown(query.treatment)}: the other rows "
            "of the unit and period tell."
        )
        entries.append(Entry("missing", sentence, untold))
    torn = pc.fill_null(pc.not_equal(cells["treatment"], cells["lowest"]), False)
    first = pc.index(torn, True).as_py()
    if first >= 0:
        unit, time = cells["unit"][first].as_py(), cells["time"][first].as_py()
        count = int(pc.sum(torn).as_py())
        raise DataError(
            f"{counted(count, 'cell')} of units and periods hold more than one value of "
            f"{shown(query.treatment)}; the first is {shown(unit)}, {time}.",
            hint="Choose shorter periods, or leave treatment empty and choose it by hand later.",
        )


def _written(time: pa.ChunkedArray, truncation: str) -> pa.ChunkedArray:
    """Write the first days of periods as the periods are written."""
    days = time.cast(pa.date32()).combine_chunks().dictionary_encode()
    firsts = [day.as_py() for day in days.dictionary]
    if truncation == "quarter":
        words = [f"{day.year:04}Q{(day.month + 2) // 3}" for day in firsts]
    else:
        words = [day.strftime(FORMATS[truncation]) for day in firsts]
    return pa.chunked_array([pa.array(words, pa.string()).take(days.indices)])


def _digest(query: SourceQuery, table: Table) -> str:
    """SHA-256 of what was asked, and of every cell that came."""
    total = sha256(json.dumps([query.to_json(), table.columns]).encode())
    for name in table.columns:
        column: Any = as_arrow(table.text[name])
        if isinstance(column, pa.ChunkedArray):
            column = pa.concat_arrays(column.chunks)
        lengths = pc.fill_null(pc.binary_length(column), -1).to_numpy(zero_copy_only=False)
        total.update(np.asarray(lengths, dtype="<i8").tobytes())
        plain = pc.fill_null(column, "")
        offsets = np.frombuffer(plain.buffers()[1], "<i8")
        offsets = offsets[plain.offset : plain.offset + len(plain) + 1]
        total.update(memoryview(plain.buffers()[2] or b"")[int(offsets[0]) : int(offsets[-1])])
    return total.hexdigest()

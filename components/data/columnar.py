"""Typed columns (Parquet, data frames) as text."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.data.assemble import assemble
from components.data.ledger import MAX_PLACES, Entry, counted, shown
from components.data.table import Table, check_size, refuse_control
from components.errors import DataError

MAX_UNPACKED = 512 * 2**20
EXACT_INTEGERS = 2.0**53
FEWEST_COLUMNS = 3  # a unit, a period and an outcome


def read_parquet(data: bytes, *, name: str, digest: str) -> Table:
    """Read a Parquet file as text, after its own account of its size was checked.

    Parameters
    ----------
    data : bytes
        The whole file.
    name, digest : str
        See `Table`.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If the file is damaged, too large, or holds little but nested or binary columns.
    """
    try:
        source = pq.ParquetFile(pa.BufferReader(data))
        meta = source.metadata
        check_size(meta.num_rows, meta.num_columns)
        groups = [meta.row_group(number) for number in range(meta.num_row_groups)]
        rows = sum(group.num_rows for group in groups)
        check_size(rows, meta.num_columns)
        unpacked = sum(group.total_byte_size for group in groups)
        if unpacked > MAX_UNPACKED:
            _refuse_unpacked(unpacked)
        schema = source.schema_arrow
        texts = [field.name for field in schema if _is_text(field.type)]
        packed = pq.ParquetFile(pa.BufferReader(data), read_dictionary=texts).read()
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(
            "This Parquet file is damaged or encrypted.",
            hint="Write it again, or save the table as CSV.",
        ) from error
    entries: list[Entry] = []
    packed = _without_nested(packed, entries)
    columns = _texts(packed, entries)
    return assemble(
        packed.column_names,
        columns,
        name=name,
        digest=digest,
        kind="parquet",
        first_row=1,
        entries=entries,
    )


def table_from_frame(frame: pd.DataFrame, *, name: str = "table") -> Table:
    """Turn a data frame into a table of text; typed columns are written out exactly.

    Parameters
    ----------
    frame : pandas.DataFrame
        Its index is ignored.
    name : str
        For display.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If a column is nested or binary, or names repeat.
    """
    header = [str(column) for column in frame.columns]
    check_size(len(frame), len(header))
    plain = {}
    for position, column in enumerate(header):
        values = frame.iloc[:, position]
        if isinstance(values.dtype, pd.PeriodDtype):
            values = values.astype(str).where(values.notna())
        try:
            plain[position] = pa.chunked_array([pa.array(values, from_pandas=True)])
        except MemoryError:
            raise
        except (pa.ArrowException, TypeError) as error:
            raise DataError(
                f"Column {shown(column)} mixes kinds of values.",
                hint="Give each column a single kind: text, numbers or dates.",
            ) from error
    entries: list[Entry] = []
    packed = pa.Table.from_arrays(list(plain.values()), names=header)
    columns = _texts(packed, entries)
    digest = sha256(repr(header).encode())
    for column in columns:
        digest.update(repr(column.to_pylist()).encode())
    return assemble(
        header,
        columns,
        name=name,
        digest=digest.hexdigest(),
        kind="frame",
        first_row=1,
        entries=entries,
    )


def _without_nested(table: pa.Table, entries: list[Entry]) -> pa.Table:
    """Leave out columns that hold no single values, unless few others are left."""
    nested = [field.name for field in table.schema if not _is_plain(field.type)]
    if not nested or table.num_columns - len(nested) < FEWEST_COLUMNS:
        return table
    kinds = ", ".join(
        f"{shown(name)} ({table.schema.field(name).type})"[:80] for name in nested[:5]
    )
    sentence = (
        f"{counted(len(nested), 'column')} left out that {'hold' if len(nested) > 1 else 'holds'} "
        f"no single values: {kinds[:200]}."
    )
    entries.append(Entry("dropped", sentence, len(nested), tuple(map(shown, nested[:MAX_PLACES]))))
    return table.drop_columns(nested)


def _is_plain(kind: pa.DataType) -> bool:
    """Whether values of this type can be written as text."""
    types = pa.types
    if types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    tests = (
        _is_text, types.is_floating, types.is_timestamp, types.is_integer, types.is_boolean,
        types.is_decimal, types.is_date, types.is_null,
    )  # fmt: skip
    return any(test(kind) for test in tests)


def _texts(table: pa.Table, entries: list[Entry]) -> list[pa.ChunkedArray]:
    columns, size = [], 0
    for name, stored in zip(table.column_names, table.columns, strict=True):
        column = stored
        try:
            column.validate(full=True)
        except MemoryError:
            raise
        except (pa.ArrowException, IndexError) as error:
            raise DataError(
                f"Column {shown(name)} is damaged, or holds text that is not UTF-8.",
                hint="Write the file again with text in UTF-8.",
            ) from error
        if pa.types.is_dictionary(column.type):
            size += _decoded_size(column)
            if size > MAX_UNPACKED:
                _refuse_unpacked(size)
            column = column.cast(column.type.value_type)
        text = _text(column, name, entries)
        refuse_control(text, name, 1, "row")
        columns.append(text)
    return columns


def _text(column: pa.ChunkedArray, name: str, entries: list[Entry]) -> pa.ChunkedArray:
    kind = column.type
    types = pa.types
    if types.is_floating(kind):
        column = _whole_numbers(column.cast(pa.float64()))
    elif types.is_timestamp(kind):
        column = _days(column, name, entries)
    elif not _is_plain(kind):
        raise DataError(
            f"Column {shown(name)} holds values of type {shown(kind)}, which are no single value.",
            hint="Leave that column out, or write it as text or numbers.",
        )
    if types.is_timestamp(column.type) and column.type.unit == "ns":
        rounded = column.cast(pa.timestamp("us", column.type.tz), safe=False)
        if not rounded.cast(kind).equals(column):
            sentence = f"Times in column {shown(name)} were cut to microseconds."
            entries.append(Entry("converted", sentence, len(column)))
        column = rounded
    return column.cast(pa.large_string())


def _whole_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write 1990.0 as 1990 where a column of floats holds whole numbers only; NaN is empty."""
    column = pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
    values = column.drop_null().to_numpy()
    whole = np.isfinite(values) & (np.floor(values) == values) & (np.abs(values) < EXACT_INTEGERS)
    return column.cast(pa.int64()) if len(values) and whole.all() else column


def _days(column: pa.ChunkedArray, name: str, entries: list[Entry]) -> pa.ChunkedArray:
    """Write timestamps as days where all of them are midnights in their own time zone."""
    zone = column.type.tz
    local = column if zone is None else pc.local_timestamp(column)
    if not pc.all(pc.equal(pc.floor_temporal(local, unit="day"), local)).as_py():
        return column
    if zone is not None and len(column) > column.null_count:
        sentence = f"Midnights of {shown(zone)} in {shown(name)} read as days."
        entries.append(Entry("converted", sentence, len(column)))
    return local.cast(pa.date32())


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    tests = (types.is_string, types.is_large_string, types.is_string_view)
    return any(test(kind) for test in tests)


def _decoded_size(column: pa.ChunkedArray) -> int:
    """Bytes that a dictionary column takes once its words are written out."""
    total = 0
    for chunk in column.chunks:
        lengths = pc.binary_length(chunk.dictionary.cast(pa.large_string()))
        total += pc.sum(pc.take(lengths, chunk.indices)).as_py() or 0
    return total


def _refuse_unpacked(size: int) -> None:
    raise DataError(
        f"The file unpacks to {size / 2**20:,.0f} MB; at most {MAX_UNPACKED // 2**20} can be read.",
        hint="Keep only the columns that you need, or sum up to longer periods.",
    )

"""Files and DuckDB databases, summed up out of core by DuckDB, which sees nothing else."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from components.data.ledger import counted, shown
from components.data.numbers import MISSING
from components.data.sources_config import Source, SourceColumn, SourceQuery
from components.data.sources_duckdb_open import Relation, asked, opened, quoted
from components.data.sources_rows import Rows, refuse_too_many
from components.errors import DataError

BITS = 61  # of the first of two whole numbers that carry a value exactly, with room for rounding
LEAST = -900  # exponent of two down to which scales stay finite
FLOATS = ("FLOAT", "DOUBLE", "REAL")
LOOK_EVERY = 0.1


def describe(source: Source) -> tuple[SourceColumn, ...]:
    """Give the columns of files or of a DuckDB database; nested and binary ones are left out."""
    with tempfile.TemporaryDirectory() as place, opened(source, place) as (_, relation):
        kinds = {name: relation.kind(name) for name in relation.types}
    return tuple(SourceColumn(name, kind) for name, kind in kinds.items() if kind is not None)


def read(source: Source, query: SourceQuery, place: str, progress: Callable[[float], None]) -> Rows:
    """Read what a query asks, with bounded memory.

    Sums do not depend on the order of rows, number of threads or layout of files: whole numbers and
    decimals are added exactly, and a binary fraction x as two whole numbers, x = (h + l / 2^60) / K
    with K a power of two, which is exact for all |x| above 2^-68 of the largest.
    """
    with opened(source, place) as (database, relation), _watched(database, progress) as watch:
        remarks = []
        if relation.types[query.time].startswith("TIMESTAMP WITH TIME ZONE"):
            remarks.append(f"Times in {shown(query.time)} are those of UTC.")
        if query.aggregate is None:
            return Rows(_rows(database, relation, source, query), tuple(remarks))
        exponent = _scale(database, relation, query)
        watch(0.5 if relation.written else 0.1)
        cells = _grouped(database, relation, source, query, exponent)
        return Rows(cells, tuple(remarks))


def _rows(database: Any, relation: Relation, source: Source, query: SourceQuery) -> Any:
    names = [quoted(name) for name in query.columns]
    names[1] = _time(relation, query)
    roles = ("unit", "time", "outcome", "treatment")
    listed = ", ".join(f"{name} AS {role}" for name, role in zip(names, roles, strict=False))
    order = ", ".join(str(number + 1) for number in range(len(names)))
    sql = f"SELECT {listed} FROM {relation.sql} LIMIT {source.rows + 1}"
    return asked(database, f"SELECT * FROM ({sql}) ORDER BY {order}", relation.parameters)


def _grouped(
    database: Any, relation: Relation, source: Source, query: SourceQuery, exponent: int | None
) -> Any:
    value = _value(relation, query)
    sums, outer = _sums(query, value, exponent)
    told = told_outer = ""
    if query.treatment is not None:
        flag = quoted(query.treatment)
        told = f", max({flag}) AS treatment, min({flag}) AS lowest, count({flag}) AS flags"
        told_outer = ", treatment, lowest, flags"
    inner = (
        f"SELECT {quoted(query.unit)} AS unit, {_time(relation, query)} AS time, "
        f"count(*) AS rows, count({value}) AS known{sums}{told} FROM {relation.sql} GROUP BY 1, 2"
    )
    sql = f"SELECT unit, time, {outer} AS outcome, rows, known{told_outer} FROM ({inner})"
    sql += f" ORDER BY 1, 2 LIMIT {source.rows + 1}"
    cells = asked(database, sql, relation.parameters)
    if cells.num_rows > source.rows:
        refuse_too_many(source)
    return cells


def _sums(query: SourceQuery, value: str, exponent: int | None) -> tuple[str, str]:
    """Give what is summed up within a cell, and the outcome made of it."""
    if query.aggregate == "count":
        return "", "known"
    share = "" if query.aggregate == "sum" else " / nullif(known, 0)"
    if exponent is None:
        whole = "total" if query.aggregate == "sum" else "total::DOUBLE"
        return f", sum({value}) AS total", whole + share
    scaled = f"({value} * {2.0 ** (BITS - exponent)!r}::DOUBLE)"
    rest = f"(({scaled} - {scaled}::BIGINT::DOUBLE) * {2.0**60!r}::DOUBLE)::BIGINT"
    back = 2.0 ** (exponent - BITS)
    total = f"(high::DOUBLE * {back!r}::DOUBLE + low::DOUBLE * {back * 2.0**-60!r}::DOUBLE)"
    return f", sum({scaled}::BIGINT) AS high, sum({rest}) AS low", total + share


def _value(relation: Relation, query: SourceQuery) -> str:
    """Write the outcome as a number; null where it is none.

    Endless numbers are refused beforehand; ``isnan`` will not do, as DuckDB takes it for false
    wherever the statistics of a Parquet file, which leave NaN out, seem to say so.
    """
    if query.outcome is None:
        return "1"
    name, kind = quoted(query.outcome), relation.kind(query.outcome)
    text = relation.written or kind == "text"
    if query.aggregate == "count":
        there = f"NOT {_blank(name)}" if text else f"isfinite({name}) OR isinf({name})"
        able = _is_binary(relation, query.outcome)
        return f"(CASE WHEN {there} THEN {name} ELSE NULL END)" if able else name
    if kind == "flag" and not text:
        return f"{name}::INTEGER"
    if kind not in ("number", "text") and not text:
        raise DataError(
            f"Column {shown(query.outcome)} holds no numbers.",
            hint="Choose a column of numbers for the outcome, or count the rows.",
        )
    if _is_binary(relation, query.outcome):
        number = _number(relation, query.outcome)
        return f"(CASE WHEN isfinite({number}) THEN {number} ELSE NULL END)"
    return name


def _number(relation: Relation, column: str) -> str:
    """Write a column of text or of binary fractions as DOUBLE."""
    name = quoted(column)
    if relation.types[column] in FLOATS and not relation.written:
        return f"{name}::DOUBLE"
    return f"(CASE WHEN {_blank(name)} THEN NULL ELSE TRY_CAST({name} AS DOUBLE) END)"


def _is_binary(relation: Relation, column: str) -> bool:
    text = relation.written or relation.kind(column) == "text"
    return text or relation.types[column] in FLOATS


def _scale(database: Any, relation: Relation, query: SourceQuery) -> int | None:
    """Look at all values first: refuse what is no number, and find the exponent of the largest."""
    _check_times(database, relation, query)
    column = query.outcome
    if column is None or query.aggregate == "count" or not _is_binary(relation, column):
        return None
    name, number, value = quoted(column), _number(relation, column), _value(relation, query)
    odd = f"({number} IS NULL AND {name} IS NOT NULL AND NOT {_blank(name)})"
    if relation.types[column] in FLOATS and not relation.written:
        odd = "false"
    sql = (
        f"SELECT max(abs({value})), count_if(isinf({number})), count_if({odd}), "
        f"min(CASE WHEN {odd} THEN {name} END) FROM {relation.sql}"
    )
    row = asked(database, sql, relation.parameters).to_pylist()[0]
    largest, endless, strange, example = row.values()
    if strange:
        raise DataError(
            f"{counted(strange, 'row')} of column {shown(column)} "
            f"{'holds' if strange == 1 else 'hold'} no plain number, such as {shown(example)}.",
            hint="Choose a column of numbers for the outcome, or count the rows.",
        )
    if endless:
        raise DataError(
            f"{counted(endless, 'row')} of column {shown(column)} "
            f"{'is' if endless == 1 else 'are'} infinite.",
            hint="Ask whoever keeps this source to take them out.",
        )
    return max(math.frexp(largest or 1.0)[1], LEAST)


def _check_times(database: Any, relation: Relation, query: SourceQuery) -> None:
    if query.truncation is None or (relation.kind(query.time) == "time" and not relation.written):
        return
    name = quoted(query.time)
    if not (relation.written or relation.kind(query.time) == "text"):
        raise DataError(
            f"Column {shown(query.time)} holds no dates.",
            hint="Take its values as they are, or choose a column of dates.",
        )
    odd = f"{name} IS NOT NULL AND trim({name}) <> '' AND TRY_CAST({name} AS TIMESTAMP) IS NULL"
    sql = f"SELECT count(*), min({name}) FROM {relation.sql} WHERE {odd}"
    count, example = asked(database, sql, relation.parameters).to_pylist()[0].values()
    if count:
        raise DataError(
            f"{counted(count, 'row')} of column {shown(query.time)} "
            f"{'holds' if count == 1 else 'hold'} no date, such as {shown(example)}.",
            hint="Take its values as they are, or choose a column of dates such as 2020-01-31.",
        )


def _time(relation: Relation, query: SourceQuery) -> str:
    name = quoted(query.time)
    if query.truncation is None:
        return name
    if relation.types[query.time] == "DATE" and query.truncation == "day":
        return name
    if relation.written or relation.kind(query.time) == "text":
        name = f"TRY_CAST({name} AS TIMESTAMP)"
    elif relation.kind(query.time) != "time":
        raise DataError(
            f"Column {shown(query.time)} holds no dates.",
            hint="Take its values as they are, or choose a column of dates.",
        )
    if query.truncation == "day":
        return f"{name}::DATE"
    return f"date_trunc('{query.truncation}', {name})::DATE"


def _blank(name: str) -> str:
    words = ", ".join(f"'{word}'" for word in sorted({"", *MISSING}))
    return f"lower(trim({name})) IN ({words})"


@contextmanager
def _watched(database: Any, progress: Callable[[float], None]) -> Iterator[Callable[[float], None]]:
    """Tell how far a query is while it runs; of the whole, the share from what was set on."""
    over, start = Event(), [0.0]

    def look() -> None:
        while not over.wait(LOOK_EVERY):
            done = max(database.query_progress(), 0.0) / 100.0
            end = 1.0 if start[0] else 0.1
            progress(min(start[0] + (end - start[0]) * done, 1.0))

    def begin(share: float) -> None:
        start[0] = share

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield begin
    finally:
        over.set()
        thread.join()

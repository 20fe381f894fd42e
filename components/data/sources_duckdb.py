"""Files and DuckDB databases, summed up out of core by DuckDB, which sees nothing else."""

from __future__ import annotations

import math
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from components.data.ledger import counted, shown
from components.data.numbers import MISSING
from components.data.sources_config import ColumnKind, Source, SourceColumn, SourceQuery
from components.data.sources_read import Rows, needed, refuse_too_many
from components.errors import DataError

MAX_FILES = 100_000
PARQUET = (".parquet", ".pq", ".parq")
DELIMITED = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
BITS = 61  # of the first of two whole numbers that carry a value exactly, with room for rounding
LEAST = -900  # exponent of two down to which scales stay finite
FLOATS = ("FLOAT", "DOUBLE", "REAL")
LOOK_EVERY = 0.1
FORM = """delim=?, quote='"', escape='"', header=true, strict_mode=true"""
KINDS: tuple[tuple[str, ColumnKind], ...] = (
    (r"BOOLEAN", "flag"),
    (r"DATE|TIMESTAMP", "time"),
    (r"U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DECIMAL|FLOAT|DOUBLE|REAL", "number"),
    (r"VARCHAR|ENUM|UUID", "text"),
)
SETTINGS = (
    "SET autoinstall_known_extensions=false",
    "SET autoload_known_extensions=false",
    "SET allow_community_extensions=false",
    "SET python_enable_replacements=false",
    "SET TimeZone='UTC'",
    "SET enable_progress_bar=true",
    "SET enable_progress_bar_print=false",
    "SET progress_bar_time=0",
)


@dataclass(frozen=True)
class _Relation:
    """What stands behind FROM, its bound parameters, and the types of its columns."""

    sql: str
    parameters: tuple[Any, ...]
    types: dict[str, str]
    written: bool  # whether every cell is the text of a file

    def kind(self, name: str) -> ColumnKind | None:
        return next((kind for start, kind in KINDS if re.match(start, self.types[name])), None)


def describe(source: Source) -> tuple[SourceColumn, ...]:
    """Give the columns of files or of a DuckDB database; nested and binary ones are left out."""
    with tempfile.TemporaryDirectory() as place, _opened(source, place) as (_, relation):
        kinds = {name: relation.kind(name) for name in relation.types}
    return tuple(SourceColumn(name, kind) for name, kind in kinds.items() if kind is not None)


def read(source: Source, query: SourceQuery, place: str, progress: Callable[[float], None]) -> Rows:
    """Read what a query asks, with bounded memory.

    Sums do not depend on the order of rows, number of threads or layout of files: whole numbers and
    decimals are added exactly, and a binary fraction x as two whole numbers, x = (h + l / 2^60) / K
    with K a power of two, which is exact for all |x| above 2^-68 of the largest.
    """
    with _opened(source, place) as (database, relation), _watched(database, progress) as watch:
        remarks = []
        if relation.types[query.time].startswith("TIMESTAMP WITH TIME ZONE"):
            remarks.append(f"Times in {shown(query.time)} are those of UTC.")
        if query.aggregate is None:
            return Rows(_rows(database, relation, source, query), tuple(remarks))
        exponent = _scale(database, relation, query)
        watch(0.5 if relation.written else 0.1)
        cells = _grouped(database, relation, source, query, exponent)
        return Rows(cells, tuple(remarks))


def _rows(database: Any, relation: _Relation, source: Source, query: SourceQuery) -> Any:
    names = [_quoted(name) for name in query.columns]
    names[1] = _time(relation, query)
    roles = ("unit", "time", "outcome", "treatment")
    listed = ", ".join(f"{name} AS {role}" for name, role in zip(names, roles, strict=False))
    order = ", ".join(str(number + 1) for number in range(len(names)))
    sql = f"SELECT {listed} FROM {relation.sql} LIMIT {source.rows + 1}"
    return _asked(database, f"SELECT * FROM ({sql}) ORDER BY {order}", relation.parameters)


def _grouped(
    database: Any, relation: _Relation, source: Source, query: SourceQuery, exponent: int | None
) -> Any:
    value = _value(relation, query)
    sums, outer = _sums(query, value, exponent)
    told = told_outer = ""
    if query.treatment is not None:
        flag = _quoted(query.treatment)
        told = f", max({flag}) AS treatment, min({flag}) AS lowest, count({flag}) AS flags"
        told_outer = ", treatment, lowest, flags"
    inner = (
        f"SELECT {_quoted(query.unit)} AS unit, {_time(relation, query)} AS time, "
        f"count(*) AS rows, count({value}) AS known{sums}{told} FROM {relation.sql} GROUP BY 1, 2"
    )
    sql = f"SELECT unit, time, {outer} AS outcome, rows, known{told_outer} FROM ({inner})"
    sql += f" ORDER BY 1, 2 LIMIT {source.rows + 1}"
    cells = _asked(database, sql, relation.parameters)
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


def _value(relation: _Relation, query: SourceQuery) -> str:
    """Write the outcome as a number; null where it is none.

    Endless numbers are refused beforehand; ``isnan`` will not do, as DuckDB takes it for false
    wherever the statistics of a Parquet file, which leave NaN out, seem to say so.
    """
    if query.outcome is None:
        return "1"
    name, kind = _quoted(query.outcome), relation.kind(query.outcome)
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


def _number(relation: _Relation, column: str) -> str:
    """Write a column of text or of binary fractions as DOUBLE."""
    name = _quoted(column)
    if relation.types[column] in FLOATS and not relation.written:
        return f"{name}::DOUBLE"
    return f"(CASE WHEN {_blank(name)} THEN NULL ELSE TRY_CAST({name} AS DOUBLE) END)"


def _is_binary(relation: _Relation, column: str) -> bool:
    text = relation.written or relation.kind(column) == "text"
    return text or relation.types[column] in FLOATS


def _scale(database: Any, relation: _Relation, query: SourceQuery) -> int | None:
    """Look at all values first: refuse what is no number, and find the exponent of the largest."""
    _check_times(database, relation, query)
    column = query.outcome
    if column is None or query.aggregate == "count" or not _is_binary(relation, column):
        return None
    name, number, value = _quoted(column), _number(relation, column), _value(relation, query)
    odd = f"({number} IS NULL AND {name} IS NOT NULL AND NOT {_blank(name)})"
    if relation.types[column] in FLOATS and not relation.written:
        odd = "false"
    sql = (
        f"SELECT max(abs({value})), count_if(isinf({number})), count_if({odd}), "
        f"min(CASE WHEN {odd} THEN {name} END) FROM {relation.sql}"
    )
    row = _asked(database, sql, relation.parameters).to_pylist()[0]
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


def _check_times(database: Any, relation: _Relation, query: SourceQuery) -> None:
    if query.truncation is None or (relation.kind(query.time) == "time" and not relation.written):
        return
    name = _quoted(query.time)
    if not (relation.written or relation.kind(query.time) == "text"):
        raise DataError(
            f"Column {shown(query.time)} holds no dates.",
            hint="Take its values as they are, or choose a column of dates.",
        )
    odd = f"{name} IS NOT NULL AND trim({name}) <> '' AND TRY_CAST({name} AS TIMESTAMP) IS NULL"
    sql = f"SELECT count(*), min({name}) FROM {relation.sql} WHERE {odd}"
    count, example = _asked(database, sql, relation.parameters).to_pylist()[0].values()
    if count:
        raise DataError(
            f"{counted(count, 'row')} of column {shown(query.time)} "
            f"{'holds' if count == 1 else 'hold'} no date, such as {shown(example)}.",
            hint="Take its values as they are, or choose a column of dates such as 2020-01-31.",
        )


def _time(relation: _Relation, query: SourceQuery) -> str:
    name = _quoted(query.time)
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


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _asked(database: Any, sql: str, parameters: tuple[Any, ...] = ()) -> Any:
    """Run a query, and turn what DuckDB says into words without paths or values."""
    duckdb = needed("duckdb")
    try:
        return database.sql(sql, params=list(parameters)).to_arrow_table()
    except duckdb.OutOfMemoryException as error:
        raise DataError(
            "Summing up needs more memory than this source may use.",
            hint="Sum up to longer periods, or ask whoever runs this server for more memory.",
        ) from error
    except duckdb.Error as error:
        line = re.search(r"[Ll]ine: (\d+)", str(error))
        where = f" at line {line[1]} of a file" if line else ""
        raise DataError(
            f"The source cannot be read{where} ({type(error).__name__}).",
            hint="All files of a folder must hold the same columns. Whoever runs this server can "
            "look into them.",
        ) from error


@contextmanager
def _opened(source: Source, place: str) -> Iterator[tuple[Any, _Relation]]:
    """Open a database that can reach the source and its temporary folder, and nothing else."""
    duckdb = needed("duckdb")
    files = _files(source) if source.kind == "folder" else []
    target = _database_path(source) if source.kind == "sql" else ":memory:"
    config = {
        "memory_limit": f"{source.memory // 2**20}MiB",
        "temp_directory": place,
        "threads": str(os.cpu_count() or 1),
        "preserve_insertion_order": "false",
    }
    try:
        database = duckdb.connect(target, read_only=source.kind == "sql", config=config)
    except duckdb.Error as error:
        raise DataError(
            f"The database of {shown(source.title)} cannot be opened ({type(error).__name__}).",
            hint="Whoever runs this server can look into it.",
        ) from error
    try:
        for setting in SETTINGS:
            database.execute(setting)
        allowed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        database.execute(f"SET allowed_paths=[{allowed}]")
        database.execute("SET enable_external_access=false")
        database.execute("SET lock_configuration=true")
        yield database, _relation(database, source, files)
    finally:
        database.close()


def _relation(database: Any, source: Source, files: list[str]) -> _Relation:
    if source.kind == "sql":
        if source.select is not None:
            sql = f"({source.select.strip().rstrip(';')})"
        else:
            sql = ".".join(_quoted(part) for part in str(source.table).split("."))
        return _Relation(sql, (), _types(database, sql, ()), written=False)
    delimited = files[0].lower().endswith(DELIMITED)
    plain = "read_parquet(?, hive_partitioning=true, hive_types_autocast=false)"
    if not delimited:
        return _Relation(plain, (files,), _types(database, plain, (files,)), written=False)
    # Types are looked up for the screen only: cells come as the text of the file.
    mark = source.delimiter or ("\t" if ".tsv" in files[0].lower() else ",")
    types = _types(database, f"read_csv(?, {FORM})", (files[:1], mark))
    form = f"read_csv(?, {FORM}, all_varchar=true, nullstr='', files_to_sniff=-1)"
    return _Relation(form, (files, mark), types, written=True)


def _types(database: Any, sql: str, parameters: tuple[Any, ...]) -> dict[str, str]:
    described = _asked(database, f"DESCRIBE SELECT * FROM {sql}", parameters)
    return dict(
        zip(described["column_name"].to_pylist(), described["column_type"].to_pylist(), strict=True)
    )


def _files(source: Source) -> list[str]:
    """List the files of a source in a fixed order; none may lead out of the folder."""
    root = Path(str(source.path)).resolve()
    found = [root]
    if root.is_dir():
        inside = (path for path in root.rglob("*") if path.is_file())
        found = [
            path
            for path in inside
            if not any(part[0] in "._" for part in path.relative_to(root).parts)
        ]
    files = sorted(str(path) for path in found if path.name.lower().endswith(PARQUET + DELIMITED))
    kinds = {file.lower().endswith(PARQUET) for file in files}
    if not files or len(kinds) > 1 or len(files) > MAX_FILES:
        raise DataError(
            f"{shown(source.title)} is no file or folder of either Parquet or CSV.",
            hint="Whoever runs this server can mend its path.",
        )
    if not all(Path(file).resolve().is_relative_to(root) for file in files):
        raise DataError(
            f"A file of {shown(source.title)} leads out of its folder.",
            hint="Whoever runs this server can take that link away.",
        )
    return files


def _database_path(source: Source) -> str:
    path = str(source.url).partition("://")[2].removeprefix("/").partition("?")[0]
    if not Path(path).is_file():
        raise DataError(
            f"The database of {shown(source.title)} is not there.",
            hint="Whoever runs this server can mend its address.",
        )
    return path


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

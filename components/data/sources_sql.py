"""PostgreSQL and SQLite databases through SQLAlchemy, read only, with limits of rows and time."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from components.data.ledger import counted, shown
from components.data.sources_config import ColumnKind, Source, SourceColumn, SourceQuery, Truncation
from components.data.sources_rows import Rows, needed, refuse_too_many
from components.errors import DataError

SAMPLE = 200
BATCH = 20_000
CONNECT_SECONDS = 10
POSTGRES = ("postgresql", "postgres")
SETTINGS = (
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "SET TIME ZONE 'UTC'",
    "SET DateStyle = 'ISO, YMD'",
    "SET synchronize_seqscans = off",
)
SQLITE_STARTS: dict[Truncation, str] = {
    "day": "date({0})",
    "week": "date({0}, '-6 days', 'weekday 1')",
    "month": "date({0}, 'start of month')",
    "quarter": "date({0}, 'start of month', '-' || ((strftime('%m', {0}) - 1) % 3) || ' months')",
    "year": "date({0}, 'start of year')",
}
HINT = "Whoever runs this server can look into it."


def describe(source: Source) -> tuple[SourceColumn, ...]:
    """Give the columns of a table or query, and what the first rows hold."""
    with _opened(source) as (connection, relation):
        result = _run(connection, f"SELECT * FROM {relation} LIMIT {SAMPLE}")
        names, rows = list(result.keys()), result.fetchall()
    return tuple(
        SourceColumn(str(name), kind)
        for number, name in enumerate(names)
        if (kind := _kind([row[number] for row in rows])) is not None
    )


def read(source: Source, query: SourceQuery, progress: Callable[[float], None]) -> Rows:
    """Read what a query asks; sums in PostgreSQL are those of exact decimals."""
    kinds = {column.name: column.kind for column in describe(source)}
    with _opened(source) as (connection, relation):
        wording = _Wording(query, kinds, relation, connection.dialect)
        for sql, column, what in wording.checks():
            count, example = _run(connection, sql).one()
            if count:
                raise _strange(count, column, what, example)
        parts, sql = wording.parts(), wording.sql()
        result = _run(connection, f"{sql} LIMIT {source.rows + 1}")
        columns: list[list[Any]] = [[] for _ in parts]
        while batch := _fetch(result):
            for known, cells in zip(columns, zip(*batch, strict=True), strict=True):
                known.extend(cells)
            if len(columns[0]) > source.rows:
                refuse_too_many(source)
            progress(0.0)
    return Rows(_arrow(dict(zip(parts, columns, strict=True)), query))


class _Wording:
    """Puts a query into the words of a database; names are quoted, values are none of them."""

    def __init__(
        self, query: SourceQuery, kinds: dict[str, ColumnKind], relation: str, dialect: Any
    ) -> None:
        self._query, self._kinds, self._relation = query, kinds, relation
        self._quoted: Callable[[str], str] = dialect.identifier_preparer.quote_identifier
        self._postgres = dialect.name in POSTGRES

    def sql(self) -> str:
        """Give the whole query, without a bound of rows."""
        parts = self.parts()
        listed = f"SELECT {', '.join(parts.values())} FROM {self._relation}"
        if self._query.aggregate is not None:
            return f"{listed} GROUP BY 1, 2 ORDER BY 1, 2"
        return f"{listed} ORDER BY {', '.join(str(n + 1) for n in range(len(parts)))}"

    def parts(self) -> dict[str, str]:
        """Give what is selected, by the name that it has in `Rows`."""
        query = self._query
        parts = {"unit": self._quoted(query.unit), "time": self._time()}
        value = self._value()
        if query.aggregate is None:
            parts["outcome"] = value
        else:
            how = "count" if query.aggregate == "count" else "sum"
            parts |= {"rows": "count(*)", "known": f"count({value})", "outcome": f"{how}({value})"}
        if query.treatment is not None:
            flag = self._quoted(query.treatment)
            if query.aggregate is None:
                return parts | {"treatment": flag}
            if self._postgres and self._kinds[query.treatment] == "flag":
                flag = f"CAST({flag} AS INTEGER)"
            ends = {"treatment": f"max({flag})", "lowest": f"min({flag})"}
            parts |= {**ends, "flags": f"count({flag})"}
        return parts

    def checks(self) -> Iterator[tuple[str, str, str]]:
        """Give queries for what SQLite would silently take for 0 or for no date."""
        query = self._query
        if self._postgres:
            return
        odd: list[tuple[str, str, str]] = []
        if query.truncation is not None:
            name = self._quoted(query.time)
            lost = f"{name} IS NOT NULL AND (typeof({name}) <> 'text' OR date({name}) IS NULL)"
            odd.append((query.time, lost, "date such as 2020-01-31"))
        if query.outcome is not None and query.aggregate in ("sum", "mean"):
            lost = f"typeof({self._quoted(query.outcome)}) IN ('text', 'blob')"
            odd.append((query.outcome, lost, "number"))
        for column, lost, what in odd:
            listed = f"SELECT count(*), min({self._quoted(column)})"
            yield f"{listed} FROM {self._relation} WHERE {lost}", column, what

    def _time(self) -> str:
        name, truncation = self._quoted(self._query.time), self._query.truncation
        if truncation is None:
            return name
        if self._postgres:
            return f"CAST(date_trunc('{truncation}', CAST({name} AS TIMESTAMP)) AS DATE)"
        return SQLITE_STARTS[truncation].format(name)

    def _value(self) -> str:
        query = self._query
        if query.outcome is None:
            return "1"
        name, kind = self._quoted(query.outcome), self._kinds[query.outcome]
        if query.aggregate not in ("sum", "mean"):
            counted_one = self._postgres and query.aggregate and kind == "number"
            return f"NULLIF(CAST({name} AS TEXT), 'NaN')" if counted_one else name
        if kind == "time":
            raise DataError(
                f"Column {shown(query.outcome)} holds no numbers.",
                hint="Choose a column of numbers for the outcome, or count the rows.",
            )
        if not self._postgres:
            return name
        if kind == "flag":
            return f"CAST({name} AS INTEGER)"
        return f"CAST(NULLIF(CAST({name} AS TEXT), 'NaN') AS NUMERIC)"


def _strange(count: int, column: str, what: str, example: object) -> DataError:
    return DataError(
        f"{counted(count, 'row')} of column {shown(column)} "
        f"{'holds' if count == 1 else 'hold'} no {what}, such as {shown(example)}.",
        hint="Choose another column, or take its values as they are.",
    )


def _arrow(columns: dict[str, list[Any]], query: SourceQuery) -> pa.Table:
    """Write cells as text, counts as whole numbers, and first days of periods as dates."""
    if query.aggregate == "mean":
        pairs = zip(columns["outcome"], columns["known"], strict=True)
        columns["outcome"] = [float(total) / known if known else None for total, known in pairs]
    made = {}
    for name, cells in columns.items():
        if name in ("rows", "known", "flags"):
            made[name] = pa.array(cells, pa.int64())
        elif name == "time" and query.truncation is not None:
            days = [dt.date.fromisoformat(day) if isinstance(day, str) else day for day in cells]
            made[name] = pa.array(days, pa.date32())
        else:
            made[name] = pa.array([_written(cell, name) for cell in cells], pa.large_string())
    return pa.table(made)


def _written(cell: Any, column: str) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if cell != cell:  # noqa: PLR0124 (NaN)
            return None
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, Decimal):
        return None if cell.is_nan() else f"{cell:f}"
    if isinstance(cell, dt.datetime):
        midnight = cell.time() == dt.time()
        return cell.date().isoformat() if midnight else cell.isoformat(sep=" ")
    if isinstance(cell, (bytes, memoryview)):
        raise DataError(
            f"The column of the {column} holds binary data.", hint="Choose another column."
        )
    return str(cell)


def _kind(cells: list[Any]) -> ColumnKind | None:
    known = [cell for cell in cells if cell is not None]
    if all(isinstance(cell, bool) for cell in known) and known:
        return "flag"
    if all(isinstance(cell, (int, float, Decimal)) for cell in known) and known:
        return "number"
    if all(isinstance(cell, (dt.date, dt.datetime)) for cell in known) and known:
        return "time"
    if any(isinstance(cell, (bytes, memoryview, list, dict)) for cell in known):
        return None
    return "text"


@contextmanager
def _opened(source: Source) -> Iterator[tuple[Any, str]]:
    """Connect, read only, and give what stands behind FROM."""
    sqlalchemy = needed("sqlalchemy")
    try:
        url = sqlalchemy.make_url(source.url)
    except sqlalchemy.exc.ArgumentError as error:
        raise _unreachable(source, error) from error
    backend = url.get_backend_name()
    if backend in POSTGRES:
        engine = _postgres(url)
    elif backend == "sqlite":
        engine = _sqlite(source, url)
    else:
        raise DataError(
            f"{shown(source.title)} is a database of a kind that is not read.",
            hint="PostgreSQL, SQLite and DuckDB are.",
        )
    try:
        connection = engine.connect().execution_options(no_parameters=True)
    except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
        raise _unreachable(source, error) from error
    with connection:
        if backend in POSTGRES:
            for setting in (*SETTINGS, f"SET statement_timeout = {int(1000 * source.seconds)}"):
                _run(connection, setting)
            connection.commit()
            connection = connection.execution_options(stream_results=True)
        yield connection, _relation(source, connection)
    engine.dispose()


def _postgres(url: Any) -> Any:
    if url.drivername in POSTGRES:
        url = url.set(drivername="postgresql+psycopg")
    if url.get_driver_name() == "psycopg":
        needed("psycopg")
    sqlalchemy = needed("sqlalchemy")
    options = {"connect_timeout": CONNECT_SECONDS}
    return sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool, connect_args=options)


def _sqlite(source: Source, url: Any) -> Any:
    path = Path(url.database or "")
    if not path.is_file():
        raise DataError(f"The database of {shown(source.title)} is not there.", hint=HINT)

    def connect() -> sqlite3.Connection:
        place = f"file:{quote(str(path.absolute()))}?mode=ro"
        connection = sqlite3.connect(place, uri=True, timeout=CONNECT_SECONDS)
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        return connection

    sqlalchemy = needed("sqlalchemy")
    return sqlalchemy.create_engine("sqlite://", creator=connect, poolclass=sqlalchemy.NullPool)


def _relation(source: Source, connection: Any) -> str:
    if source.select is not None:
        return f"({source.select.strip().rstrip(';')}) AS asked"
    quoted = connection.dialect.identifier_preparer.quote_identifier
    return ".".join(quoted(part) for part in str(source.table).split("."))


def _run(connection: Any, sql: str) -> Any:
    """Run one statement; what a database says about it may hold values and addresses."""
    sqlalchemy = needed("sqlalchemy")
    try:
        return connection.exec_driver_sql(sql)
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise _failed(error) from error


def _fetch(result: Any) -> list[Any]:
    sqlalchemy = needed("sqlalchemy")
    try:
        rows: list[Any] = result.fetchmany(BATCH)
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise _failed(error) from error
    return rows


def _failed(error: Exception) -> DataError:
    reason = type(getattr(error, "orig", None) or error).__name__
    if reason == "QueryCanceled":
        return DataError(
            "The database took longer than it may.", hint="Sum up to longer periods, or try later."
        )
    return DataError(
        f"The database refuses the query ({reason}).",
        hint="Check that the outcome holds numbers and the time holds dates. " + HINT,
    )


def _unreachable(source: Source, error: Exception) -> DataError:
    reason = type(getattr(error, "orig", None) or error).__name__
    return DataError(
        f"The database of {shown(source.title)} cannot be reached ({reason}).", hint=HINT
    )

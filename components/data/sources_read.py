"""Read a source, in the process that does nothing else."""

from __future__ import annotations

from collections.abc import Callable

from components.data import sources_duckdb, sources_sql
from components.data.ledger import shown
from components.data.sources_config import Source, SourceColumn, SourceQuery
from components.data.sources_rows import tabulate
from components.data.table import Table
from components.errors import DataError

Progress = Callable[[float], None]


def describe(source: Source) -> tuple[SourceColumn, ...]:
    """Give the columns of a source.

    Raises
    ------
    DataError
    """
    if source.kind == "folder" or _is_duckdb(source):
        return sources_duckdb.describe(source)
    return sources_sql.describe(source)


def read(source: Source, query: SourceQuery, place: str, *, progress: Progress) -> Table:
    """Read what a query asks of a source.

    Parameters
    ----------
    source : Source
    query : SourceQuery
    place : str
        A private folder for temporary files.
    progress : callable
        Told the share that is done.

    Returns
    -------
    Table

    Raises
    ------
    DataError
    """
    known = [column.name for column in describe(source)]
    for name in query.columns:
        if name not in known:
            raise DataError(
                f"There is no column {shown(name)} in {shown(source.title)}.",
                hint=f"Its columns are: {', '.join(known[:20])}.",
            )
    if source.kind == "folder" or _is_duckdb(source):
        rows = sources_duckdb.read(source, query, place, progress)
    else:
        rows = sources_sql.read(source, query, progress)
    return tabulate(source, query, rows)


def _is_duckdb(source: Source) -> bool:
    return (source.url or "").partition(":")[0].partition("+")[0] == "duckdb"

"""Open files or a DuckDB database so that DuckDB sees them and nothing else."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.data.ledger import shown
from components.data.sources_config import ColumnKind, Source
from components.data.sources_rows import needed
from components.errors import DataError

MAX_FILES = 100_000
PARQUET = (".parquet", ".pq", ".parq")
DELIMITED = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
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
class Relation:
    """What stands behind FROM, its bound parameters, and the types of its columns."""

    sql: str
    parameters: tuple[Any, ...]
    types: dict[str, str]
    written: bool  # whether every cell is the text of a file

    def kind(self, name: str) -> ColumnKind | None:
        """Say what a column holds; None where it is nested or binary."""
        return next((kind for start, kind in KINDS if re.match(start, self.types[name])), None)


@contextmanager
def opened(source: Source, place: str) -> Iterator[tuple[Any, Relation]]:
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


def _relation(database: Any, source: Source, files: list[str]) -> Relation:
    if source.kind == "sql":
        if source.select is not None:
            sql = f"({source.select.strip().rstrip(';')})"
        else:
            sql = ".".join(quoted(part) for part in str(source.table).split("."))
        return Relation(sql, (), _types(database, sql, ()), written=False)
    delimited = files[0].lower().endswith(DELIMITED)
    plain = "read_parquet(?, hive_partitioning=true, hive_types_autocast=false)"
    if not delimited:
        return Relation(plain, (files,), _types(database, plain, (files,)), written=False)
    # Types are looked up for the screen only: cells come as the text of the file.
    mark = source.delimiter or ("\t" if ".tsv" in files[0].lower() else ",")
    types = _types(database, f"read_csv(?, {FORM})", (files[:1], mark))
    form = f"read_csv(?, {FORM}, all_varchar=true, nullstr='', files_to_sniff=-1)"
    return Relation(form, (files, mark), types, written=True)


def _types(database: Any, sql: str, parameters: tuple[Any, ...]) -> dict[str, str]:
    described = asked(database, f"DESCRIBE SELECT * FROM {sql}", parameters)
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


def asked(database: Any, sql: str, parameters: tuple[Any, ...] = ()) -> Any:
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


def quoted(name: str) -> str:
    """Write a name so that it stays a name."""
    return '"' + name.replace('"', '""') + '"'

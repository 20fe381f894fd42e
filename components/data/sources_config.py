"""What a server offers besides uploads, and what may be asked of it."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

from components.data.ledger import shown
from components.errors import DataError

Kind = Literal["folder", "sql"]
ColumnKind = Literal["text", "number", "time", "flag"]
Aggregate = Literal["sum", "mean", "count"]
Truncation = Literal["day", "week", "month", "quarter", "year"]

KINDS: dict[Kind, str] = {"folder": "Files", "sql": "Database"}
AGGREGATES: dict[Aggregate | None, str] = {
    "sum": "sum of all rows",
    "mean": "mean of all rows",
    "count": "number of rows",
    None: "the rows as they are",
}
TRUNCATIONS: dict[Truncation | None, str] = {
    None: "as they are",
    "day": "days",
    "week": "weeks",
    "month": "months",
    "quarter": "quarters",
    "year": "years",
}
COUNT = "count"
FIELDS: dict[str, tuple[type, ...]] = {
    "kind": (str,),
    "title": (str,),
    "path": (str,),
    "delimiter": (str,),
    "url": (str,),
    "url_variable": (str,),
    "table": (str,),
    "select": (str,),
    "rows": (int,),
    "seconds": (int, float),
    "memory_mb": (int,),
    "temporary": (str,),
}
AS_WRITTEN = ("rows", "seconds", "temporary", "delimiter")
HINT = "Whoever runs this server can mend the file that PANELSCOPE_SOURCES names."


@dataclass(frozen=True)
class SourceInfo:
    """What a visitor sees of a source.

    Attributes
    ----------
    key, title : str
    kind : {"folder", "sql"}
    """

    key: str
    title: str
    kind: Kind


@dataclass(frozen=True)
class SourceColumn:
    """A column of a source.

    Attributes
    ----------
    name : str
    kind : {"text", "number", "time", "flag"}
        What it seems to hold.
    """

    name: str
    kind: ColumnKind


@dataclass(frozen=True)
class Source:
    """All that is needed to read a source; never shown.

    Attributes
    ----------
    key, title : str
    kind : {"folder", "sql"}
    path : str, optional
        Of a file or folder.
    delimiter : str, optional
        Between the cells of CSV files; None takes tabs for .tsv and commas for the others.
    url : str, optional
        Of a database, as SQLAlchemy writes it.
    table, select : str, optional
        What to read from the database: one of the two.
    rows : int
        At most so many come back.
    seconds : float
        At most so long it may take.
    memory : int
        Bytes that sums may use before they go to temporary files.
    temporary : str, optional
        Folder for temporary files.
    """

    key: str
    title: str
    kind: Kind
    path: str | None = None
    delimiter: str | None = None
    url: str | None = field(default=None, repr=False)
    table: str | None = None
    select: str | None = field(default=None, repr=False)
    rows: int = 2_000_000
    seconds: float = 600.0
    memory: int = 1 << 30
    temporary: str | None = None

    @property
    def info(self) -> SourceInfo:
        """What a visitor sees."""
        return SourceInfo(self.key, self.title, self.kind)


@dataclass(frozen=True)
class SourceQuery:
    """What is asked of a source.

    Attributes
    ----------
    source : str
        Its key.
    unit, time : str
        Names of columns.
    outcome : str, optional
        Name of the column that is summed up; needed unless rows are counted.
    treatment : str, optional
        Name of a column that does not change within a unit and period.
    aggregate : {"sum", "mean", "count"}, optional
        How the rows of a unit and period become one; None takes the rows as they are.
    truncation : {"day", "week", "month", "quarter", "year"}, optional
        The period that each time belongs to; None takes times as they are.
    """

    source: str
    unit: str
    time: str
    outcome: str | None = None
    treatment: str | None = None
    aggregate: Aggregate | None = "sum"
    truncation: Truncation | None = None

    def __post_init__(self) -> None:
        for word, allowed in ((self.aggregate, AGGREGATES), (self.truncation, TRUNCATIONS)):
            if word not in allowed:
                raise DataError(
                    f"There is no {shown(word)}.",
                    hint=f"Choose one of: {', '.join(str(known) for known in allowed)}.",
                )
        if self.outcome is None and self.aggregate != "count":
            raise DataError("No column is chosen for the outcome.", hint="Choose one.")
        chosen = self.columns
        if len(set(chosen)) < len(chosen):
            raise DataError(
                "A column is chosen twice.", hint="Choose a column of its own for each role."
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns in use."""
        names = (self.unit, self.time, self.outcome, self.treatment)
        return tuple(name for name in names if name is not None)

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns of the table that comes back."""
        outcome = COUNT if self.outcome is None else self.outcome
        last = () if self.treatment is None else (self.treatment,)
        return (self.unit, self.time, outcome, *last)

    def to_json(self) -> str:
        """Write it down: equal queries give equal text."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> SourceQuery:
        """Read what `to_json` wrote.

        Raises
        ------
        DataError
            Where the text is something else.
        """
        try:
            query = cls(**json.loads(text))
        except (ValueError, TypeError, RecursionError) as error:
            raise _no_query() from error
        if not all(isinstance(value, str | None) for value in asdict(query).values()):
            raise _no_query()
        return query


def _no_query() -> DataError:
    return DataError(
        "This is no query of a source.", hint="Choose source and columns on the data page."
    )


def read_config(path: Path) -> Mapping[str, Source]:
    """Read the file that says what a server offers.

    Parameters
    ----------
    path : pathlib.Path
        A TOML file; docs/sources.md tells its form.

    Returns
    -------
    mapping of str to Source

    Raises
    ------
    DataError
        Naming the source and the word that is not understood.
    """
    try:
        config = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError("The list of sources cannot be read.", hint=HINT) from error
    if set(config) - {"sources"} or not isinstance(config.get("sources", {}), dict):
        raise DataError("The list of sources holds more than [sources.<key>].", hint=HINT)
    return {key: _checked(key, entry, path.parent) for key, entry in config["sources"].items()}


def _checked(key: str, entry: Any, folder: Path) -> Source:
    if not re.fullmatch(r"[a-z0-9_]{1,40}", key):
        _refuse(key, "its key is more than small letters, digits and _")
    if not isinstance(entry, dict):
        _refuse(key, "it is no table of settings")
    for word, value in entry.items():
        _check_setting(key, word, value)
    common = {
        word: entry[word] for word in ("rows", "seconds", "temporary", "delimiter") if word in entry
    }
    if "memory_mb" in entry:
        common["memory"] = entry["memory_mb"] * 2**20
    common["title"] = entry.get("title", key)
    if entry.get("kind") == "folder":
        if "path" not in entry or {"url", "url_variable", "table", "select"} & set(entry):
            _refuse(key, "files need a path, and nothing of a database")
        return Source(key, kind="folder", path=str((folder / entry["path"]).absolute()), **common)
    if entry.get("kind") != "sql":
        _refuse(key, 'kind is neither "folder" nor "sql"')
    if ("table" in entry) == ("select" in entry) or "path" in entry:
        _refuse(key, "a database needs either a table or a select, and no path")
    common |= {word: entry[word] for word in ("table", "select") if word in entry}
    return Source(key, kind="sql", url=_address(key, entry), **common)


def _check_setting(key: str, word: str, value: object) -> None:
    if word not in FIELDS:
        _refuse(key, f"{shown(word)} is no known setting")
    if not isinstance(value, FIELDS[word]) or isinstance(value, bool):
        _refuse(key, f"{word} is no {FIELDS[word][-1].__name__}")
    if isinstance(value, (int, float)) and not value > 0:
        _refuse(key, f"{word} is not positive")


def _address(key: str, entry: dict[str, Any]) -> str:
    if ("url" in entry) == ("url_variable" in entry):
        _refuse(key, "a database needs either url or url_variable")
    address = entry["url"] if "url" in entry else os.environ.get(entry["url_variable"])
    if not address:
        _refuse(key, "the environment variable with its address is not set")
    return str(address)


def _refuse(key: str, why: str) -> NoReturn:
    raise DataError(f"The source {shown(key)} is not understood: {why}.", hint=HINT)

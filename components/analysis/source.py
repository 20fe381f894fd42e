"""Where a table comes from: a sample by its key, or what has the digest that the spec names."""

from __future__ import annotations

from pathlib import Path

from components.data import SAMPLES, Reading, Table, read_table
from components.data.reading import AS_FOUND
from components.data.sources import read_source
from components.errors import SpecError


def load_table(source: str, path: Path | None = None, *, reading: Reading = AS_FOUND) -> Table:
    """Read the table that a spec is about.

    Parameters
    ----------
    source : str
        ``"sample:prop99"``, or ``"sha256:"`` and a digest.
    path : pathlib.Path, optional
        The file, where the source is a digest.
    reading : Reading
        How to take it apart, or what to ask of the server's source.

    Returns
    -------
    Table

    Raises
    ------
    SpecError
        Where there is no such sample, or the table is not the one that was analysed.
    DataError
        Where the file or source cannot be read.
    """
    kind, _, key = source.partition(":")
    if kind == "sample":
        if key not in SAMPLES:
            raise SpecError(
                f"There is no sample named {key!r}.",
                hint=f"The samples are {', '.join(SAMPLES)}.",
            )
        path = SAMPLES[key].path
        return read_table(path.read_bytes(), path.name, reading)
    if reading.query is not None:
        return checked(read_source(reading.query), key)
    if path is None:
        raise SpecError("The analysis is about an uploaded file.", hint="Give the file's path.")
    return checked(read_table(path.read_bytes(), path.name, reading), key)


def checked(table: Table, digest: str) -> Table:
    """Give a table back if it is the one that was analysed.

    Raises
    ------
    SpecError
        Where its digest is another.
    """
    if table.digest == digest:
        return table
    if table.reading.query is not None:
        raise SpecError(
            f"{table.name} no longer gives the rows of this analysis: their SHA-256 starts with "
            f"{table.digest[:12]}, not {digest[:12]}.",
            hint="Read the source on the data page to go on with what it holds now.",
        )
    raise SpecError(
        f"{table.name} is not the file of this analysis: its SHA-256 starts with "
        f"{table.digest[:12]}, not {digest[:12]}.",
        hint="Give the very file that was analysed.",
    )

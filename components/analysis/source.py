"""Where a table comes from: a sample by its key, or a file whose digest is in the spec."""

from __future__ import annotations

from pathlib import Path

from components.data import SAMPLES, Reading, Table, read_table
from components.data.reading import AS_FOUND
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
        How to take it apart.

    Returns
    -------
    Table

    Raises
    ------
    SpecError
        Where there is no such sample, or the file is not the one that was analysed.
    DataError
        Where the file cannot be read.
    """
    kind, _, key = source.partition(":")
    if kind == "sample":
        if key not in SAMPLES:
            raise SpecError(
                f"There is no sample named {key!r}.",
                hint=f"The samples are {', '.join(SAMPLES)}.",
            )
        path = SAMPLES[key].path
    elif path is None:
        raise SpecError("The analysis is about an uploaded file.", hint="Give the file's path.")
    table = read_table(path.read_bytes(), path.name, reading)
    if kind != "sample" and table.digest != key:
        raise SpecError(
            f"{path.name} is not the file of this analysis: its SHA-256 starts with "
            f"{table.digest[:12]}, not {key[:12]}.",
            hint="Give the very file that was analysed.",
        )
    return table

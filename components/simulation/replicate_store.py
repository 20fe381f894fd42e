"""Finished replications on disk, so that a stopped study goes on where it was.

One text file per study, named by the hash of what identifies it. Each line holds the number of a
replication, its values in hexadecimal, and a checksum; what a crash tore apart is skipped.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import numpy as np

from components.arrays import Floats

PLACE = "PANELSCOPE_STUDIES"
"""Environment variable with the folder; an empty value keeps nothing."""

MOST_BYTES = 200 << 20
SUFFIX = ".replications"


class ReplicationStore:
    """Keeps replications of studies in a folder.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    most_bytes : int
        Beyond it the studies used longest ago are dropped.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder
        self._most = most_bytes

    def read(self, identity: str) -> dict[int, Floats]:
        """Give the finished replications of a study, by number.

        Parameters
        ----------
        identity : str
            All that its numbers depend on.
        """
        path = self._path(identity)
        try:
            text = path.read_text(encoding="ascii", errors="replace")
            os.utime(path)
        except OSError:
            return {}
        return dict(pair for line in text.splitlines() if (pair := _parsed(line)) is not None)

    def append(self, identity: str, values: Mapping[int, Floats]) -> None:
        """Add finished replications in a single write.

        A folder that cannot be written keeps nothing; the study itself goes on.

        Parameters
        ----------
        identity : str
        values : mapping of int to Floats, shape (K,)
        """
        lines = "".join(_line(number, row) for number, row in values.items())
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            handle = os.open(self._path(identity), flags, 0o600)
            try:
                os.write(handle, f"\n{lines}".encode("ascii"))
            finally:
                os.close(handle)
            self._bound()

    def _path(self, identity: str) -> Path:
        return self.folder / (sha256(identity.encode()).hexdigest()[:40] + SUFFIX)

    def _bound(self) -> None:
        """Drop what was used longest ago, until the rest is small enough."""
        files = [(path, path.stat()) for path in self.folder.glob(f"*{SUFFIX}")]
        files.sort(key=lambda pair: pair[1].st_mtime, reverse=True)
        total = 0
        for place, (path, stat) in enumerate(files):
            total += stat.st_size
            if place and total > self._most:
                path.unlink(missing_ok=True)


def default_store() -> ReplicationStore | None:
    """Give the store in the folder that ``PANELSCOPE_STUDIES`` names, or in the user's cache."""
    named = os.environ.get(PLACE)
    if named is not None:
        return ReplicationStore(Path(named)) if named.strip() else None
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    else:
        base = os.environ.get("XDG_CACHE_HOME")
    root = Path(base) if base else Path.home() / ".cache"
    return ReplicationStore(root / "panelscope" / "studies")


def _line(number: int, row: Floats) -> str:
    body = " ".join([str(number), *(float(value).hex() for value in row)])
    return f"{body} {crc32(body.encode()):08x}\n"


def _parsed(line: str) -> tuple[int, Floats] | None:
    body, _, check = line.rpartition(" ")
    if not body or check != f"{crc32(body.encode()):08x}":
        return None
    number, *values = body.split(" ")
    return int(number), np.array([float.fromhex(value) for value in values])

"""What tests of the server's own tables share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.data import sources
from components.errors import DataError

SALES = {"source": "sales", "unit": "shop", "time": "hour", "outcome": "amount"}


def offer(monkeypatch, folder: Path, **entries: dict[str, object]) -> None:
    lines = []
    for key, entry in entries.items():
        lines += [f"[sources.{key}]", *(f"{word} = {json.dumps(v)}" for word, v in entry.items())]
    (folder / "sources.toml").write_text("\n".join(lines), "utf-8")
    monkeypatch.setenv(sources.VARIABLE, str(folder / "sources.toml"))


def refusal(call, *args: object) -> DataError:
    with pytest.raises(DataError) as caught:
        call(*args)
    assert caught.value.hint
    return caught.value

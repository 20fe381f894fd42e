"""Panels that many tests share."""

from __future__ import annotations

import os
from pathlib import Path

# One BLAS thread: the panels are small, and more threads only wait for each other.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import pandas as pd
import pytest

from components.panel import Panel
from panels import block_panel

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = Path(os.environ.get("PANELSCOPE_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def published():
    """Read one of the published panels, or skip where they are not at hand."""

    def read(name: str) -> pd.DataFrame:
        path = PUBLISHED / name
        if not path.exists():
            pytest.skip(f"the published panel {name} is not at hand (set PANELSCOPE_DATA)")
        return pd.read_csv(path)

    return read


@pytest.fixture
def panel():
    return block_panel()


@pytest.fixture(scope="session")
def prop99():
    """Give California's Proposition 99 as it ships with the app."""
    table = pd.read_csv(ROOT / "sample_data" / "prop99.csv")
    return Panel.from_long(
        table, unit="state", time="year", outcome="packs_per_capita", treatment="treated"
    )

"""The panels behind the published tables, read from a folder of public data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from components.arrays import Bools, Floats
from components.errors import DataError


@dataclass(frozen=True)
class Dataset:
    """Where a panel stands, and in which order its units are drawn.

    Attributes
    ----------
    title : str
        For tables.
    file, unit, time, outcome : str
    order : str
        Column that orders the units as the published file does; by name if empty.
    listed : bool
        The published file has the order of ``published/country_order.csv`` (by country code).
    last : str
        Unit that the published file lists last.
    logarithm : bool
        Take the logarithm of the outcome first.
    treated : str
        Unit that was treated in fact, where assignment imitates it.
    """

    title: str
    file: str
    unit: str
    time: str
    outcome: str
    order: str = ""
    listed: bool = False
    last: str = ""
    logarithm: bool = False
    treated: str = ""


COUNTRIES = Path(__file__).parent / "published" / "country_order.csv"
CPS, CPS_FULL = "cps_rounded.csv", "cps.csv"
DATASETS = {
    "log_wage": Dataset("CPS log wage", CPS, "state", "year", "log_wage"),
    "urate": Dataset("CPS unemployment", CPS, "state", "year", "urate"),
    "hours": Dataset("CPS hours", CPS, "state", "year", "hours"),
    "log_wage_full": Dataset("CPS log wage", CPS_FULL, "state", "year", "log_wage"),
    "urate_full": Dataset("CPS unemployment", CPS_FULL, "state", "year", "urate"),
    "hours_full": Dataset("CPS hours", CPS_FULL, "state", "year", "hours"),
    "pwt": Dataset(
        "Penn World Table",
        "penn_world_table.csv",
        "country",
        "year",
        "log_gdp",
        listed=True,
    ),
    "germany": Dataset(
        "German reunification",
        "german_reunification.csv",
        "country",
        "year",
        "gdp",
        order="country_index",
        logarithm=True,
        treated="West Germany",
    ),
    "basque": Dataset(
        "Basque Country",
        "basque_with_spain.csv",
        "region",
        "year",
        "gdpcap",
        order="region_no",
        treated="Basque Country (Pais Vasco)",
    ),
    "smoking": Dataset(
        "Proposition 99",
        "california_prop99.csv",
        "state",
        "year",
        "packs_per_capita",
        last="California",
        treated="California",
    ),
}


def load(folder: Path, key: str, treatment: str = "") -> tuple[Floats, Bools]:
    """Read a panel and who was treated in it.

    Parameters
    ----------
    folder : pathlib.Path
    key : str
        One of ``DATASETS``.
    treatment : str
        Column that is 1 somewhere for the treated units; the unit that was treated in fact if
        empty.

    Returns
    -------
    Y : Floats, shape (N, T)
    treated : Bools, shape (N,)

    Raises
    ------
    DataError
        Where the file is not in the folder.
    """
    data = DATASETS[key]
    path = folder / data.file
    if not path.exists():
        raise DataError(
            f"The panel {data.file} is not in {folder}.",
            hint="Set PANELSCOPE_DATA to the folder with the published panels.",
        )
    table = pd.read_csv(path)
    wide = table.pivot_table(index=data.unit, columns=data.time, values=data.outcome, sort=True)
    if data.order:
        wide = wide.loc[table.groupby(data.unit)[data.order].first().sort_values().index]
    if data.listed:
        wide = wide.loc[pd.read_csv(COUNTRIES)["country"]]
    if data.last:
        wide = pd.concat([wide.drop(index=data.last), wide.loc[[data.last]]])
    Y = wide.to_numpy(dtype=np.float64)
    if treatment:
        ever = table.groupby(data.unit)[treatment].max().astype(bool)
        return Y, ever.loc[wide.index].to_numpy(dtype=np.bool_)
    treated: Bools = np.asarray(wide.index == data.treated)
    return (np.log(Y) if data.logarithm else Y), treated

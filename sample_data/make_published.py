"""Write the four published panels from the files of the packages CausalPy and causaldata.

Get the two packages without installing them, unpack them, and name the folders that hold
``california_prop99.csv``, ``GDP_in_dollars_billions.csv``, ``castle.dta`` and ``texas.dta``::

    pip download --no-deps CausalPy==0.9.0 causaldata==0.1.5
    python sample_data/make_published.py --causalpy FOLDER --causaldata FOLDER [--out FOLDER]

Folders are searched with their subfolders. What is left out, renamed or derived is said in
README.md; no value is altered but by the indexing of GDP.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

LAST_UNTREATED_QUARTER = "2016Q2"
LAST_QUARTER = "2019Q4"
NOT_SEASONALLY_ADJUSTED = ["Spain", "Iceland"]
COUNTRIES = {
    "Luxemburg": "Luxembourg",
    "New_Zealand": "New Zealand",
    "UK": "United Kingdom",
    "US": "United States",
}
# The source numbers the states in alphabetic order with 9 for the District of Columbia, which it
# leaves out.
STATES = [
    "Alabama", "Alaska", "Arizona", "Arkansas", "California", "Colorado", "Connecticut",
    "Delaware", "District of Columbia", "Florida", "Georgia", "Hawaii", "Idaho", "Illinois",
    "Indiana", "Iowa", "Kansas", "Kentucky", "Louisiana", "Maine", "Maryland", "Massachusetts",
    "Michigan", "Minnesota", "Mississippi", "Missouri", "Montana", "Nebraska", "Nevada",
    "New Hampshire", "New Jersey", "New Mexico", "New York", "North Carolina", "North Dakota",
    "Ohio", "Oklahoma", "Oregon", "Pennsylvania", "Rhode Island", "South Carolina",
    "South Dakota", "Tennessee", "Texas", "Utah", "Vermont", "Virginia", "Washington",
    "West Virginia", "Wisconsin", "Wyoming",
]  # fmt: skip


def shortest(values: pd.Series) -> pd.Series:
    """Undo the widening of float32 to float64: 89.80000305 is 89.8."""
    return values.astype(np.float32).astype(str).astype(np.float64)


def prop99(causalpy: Path) -> pd.DataFrame:
    """Cigarette consumption; California is treated from 1989."""
    wide = pd.read_csv(find(causalpy, "california_prop99.csv"))
    table = wide.melt("Year", var_name="state", value_name="packs_per_capita")
    table["packs_per_capita"] = shortest(table["packs_per_capita"])
    table["year"] = table["Year"]
    table["treated"] = (table["state"].eq("California") & table["year"].ge(1989)).astype(int)
    return table[["state", "year", "packs_per_capita", "treated"]]


def brexit_gdp(causalpy: Path) -> pd.DataFrame:
    """Real GDP, 100 in the last untreated quarter; the United Kingdom is treated from 2016Q3."""
    wide = pd.read_csv(find(causalpy, "GDP_in_dollars_billions.csv"))
    wide.index = pd.PeriodIndex(pd.to_datetime(wide.pop("Time")), freq="Q", name="quarter")
    wide = wide.drop(columns=NOT_SEASONALLY_ADJUSTED).rename(columns=COUNTRIES)
    index = (100 * wide / wide.loc[LAST_UNTREATED_QUARTER]).round(4).loc[:LAST_QUARTER]
    table = index.reset_index().melt("quarter", var_name="country", value_name="gdp_index")
    after = table["quarter"].gt(pd.Period(LAST_UNTREATED_QUARTER))
    table["treated"] = (table["country"].eq("United Kingdom") & after).astype(int)
    table["quarter"] = table["quarter"].astype(str)
    return table[["country", "quarter", "gdp_index", "treated"]]


def castle_doctrine(causaldata: Path) -> pd.DataFrame:
    """Homicides; treated from the calendar year in which the law took effect."""
    source = pd.read_stata(find(causaldata, "castle.dta"))
    source = source.sort_values(["sid", "year"])
    full_year = source["post"].astype(int)
    # ``post`` is 1 from the year after, so a year before a 1 is treated for part of it.
    next_year = full_year.groupby(source["sid"]).shift(-1, fill_value=0)
    numbers = {
        "log_homicide": "l_homicide",
        "homicide_per_100k": "homicide",
        "unemployment_rate": "unemployrt",
        "poverty_rate": "poverty",
        "log_police": "l_police",
        "log_income": "l_income",
        "log_prisoners": "l_prisoner",
        "population_weight": "popwt",
    }
    columns = {new: shortest(source[old]) for new, old in numbers.items()}
    return pd.DataFrame(
        {
            "state": [STATES[number - 1] for number in source["sid"]],
            "year": source["year"],
            "log_homicide": columns.pop("log_homicide"),
            "treated": np.maximum(full_year, next_year),
            "full_year": full_year,
            **columns,
        }
    )


def texas_prisons(causaldata: Path) -> pd.DataFrame:
    """Black men in prison; Texas is treated from 1993."""
    source = pd.read_stata(find(causaldata, "texas.dta"))
    treated = source["state"].eq("Texas") & source["year"].ge(1993)
    numbers = {
        "alcohol": "alcohol",
        "income": "income",
        "unemployment_rate": "ur",
        "poverty_rate": "poverty",
        "black_pct": "black",
        "age_15_to_19_pct": "perc1519",
        "aids_per_100k": "aidscapita",
    }
    return pd.DataFrame(
        {
            "state": source["state"],
            "year": source["year"],
            "black_men_in_prison": source["bmprison"],
            "treated": treated.astype(int),
            "white_men_in_prison": source["wmprison"],
            **{new: shortest(source[old]) for new, old in numbers.items()},
        }
    )


def find(folder: Path, name: str) -> Path:
    """Find the one file of that name under a folder."""
    (path,) = folder.rglob(name)
    return path


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a long table, by its first column and then by its second."""
    table = table.sort_values(list(table.columns[:2]))
    table.to_csv(path, index=False, lineterminator="\n", float_format=compact)


def compact(value: Any) -> str:
    """Write 27568.0 as 27568 and leave other numbers at their shortest."""
    return str(int(value)) if value == int(value) else repr(float(value))


def main() -> None:
    """Write the four files."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--causalpy", type=Path, required=True)
    parser.add_argument("--causaldata", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    chosen = parser.parse_args()
    write(prop99(chosen.causalpy), chosen.out / "prop99.csv")
    write(brexit_gdp(chosen.causalpy), chosen.out / "brexit_gdp.csv")
    write(castle_doctrine(chosen.causaldata), chosen.out / "castle_doctrine.csv")
    write(texas_prisons(chosen.causaldata), chosen.out / "texas_prisons.csv")


if __name__ == "__main__":
    main()

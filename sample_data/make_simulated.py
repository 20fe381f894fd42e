"""Write the three simulated panels: geo_campaign, onoff_promotion and staggered_rollout.

Run ``python sample_data/make_simulated.py`` to write them beside this file, or ``--out FOLDER`` to
write them elsewhere. Equal seeds give equal bytes, and each panel has a random stream of its own.

Every row keeps ``true_effect``: the treated outcome minus the untreated outcome of that very cell,
as rounded in the file, and 0 where untreated. Its mean over treated rows is the true ATT.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SEED = 1

# Cities and roughly how many orders a web shop might take there on an average day.
CITIES = {
    "Aarhus": 1180, "Antwerp": 1760, "Bilbao": 1310, "Birmingham": 3710, "Bologna": 1390,
    "Bordeaux": 1580, "Bratislava": 1490, "Bremen": 1870, "Brno": 1270, "Cardiff": 1210,
    "Cologne": 3520, "Copenhagen": 2380, "Dresden": 1830, "Dublin": 2010, "Edinburgh": 1710,
    "Florence": 1340, "Gdansk": 1520, "Genoa": 1880, "Ghent": 1040, "Glasgow": 2060,
    "Gothenburg": 1950, "Graz": 1100, "Hamburg": 5940, "Krakow": 2590, "Leeds": 2620,
    "Leipzig": 1990, "Lisbon": 1810, "Lyon": 1720, "Malaga": 1900, "Manchester": 1840,
    "Marseille": 2810, "Nantes": 1130, "Porto": 940, "Rotterdam": 2140, "Seville": 2250,
    "Stuttgart": 2030, "Turin": 2840, "Utrecht": 1250, "Valencia": 2630, "Wroclaw": 2120,
}  # fmt: skip
CAMPAIGN_CITIES = ("Leipzig", "Rotterdam")
CAMPAIGN_LIFT = 0.06
WEEKDAYS = np.array([0.07, 0.02, 0.0, 0.01, 0.04, -0.05, -0.09])

# First month of the new system (counted from 0), clinics, and how its effect grows per month until
# it has run for twelve: early adopters gain the most, as they usually do.
WAVES = ((12, 10, -1.2), (18, 12, -0.9), (24, 12, -0.6), (30, 10, -0.4))
N_NEVER = 16
N_MONTHS = 42


def stream(panel: str) -> np.random.Generator:
    """Start the random stream of one panel, which no other panel touches."""
    return np.random.default_rng([SEED, crc32(panel.encode())])


def autoregressive(
    rng: np.random.Generator, shape: tuple[int, int], rho: float, sd: float
) -> NDArray[np.float64]:
    """Draw N stationary AR(1) series of standard deviation ``sd``, shape (N, T)."""
    series = rng.normal(0, sd, shape)
    shocks = series * np.sqrt(1 - rho**2)
    for t in range(1, shape[1]):
        series[:, t] = rho * series[:, t - 1] + shocks[:, t]
    return series


def geo_campaign() -> pd.DataFrame:
    """Simulate daily orders in 40 cities; a campaign lifts two of them by 6 % for three weeks."""
    rng = stream("geo_campaign")
    dates = pd.date_range("2024-01-08", periods=112)
    shape = (len(CITIES), len(dates))
    volume = np.array(list(CITIES.values()), dtype=np.float64)[:, None]
    weekday = WEEKDAYS[dates.day_of_week] * rng.normal(1, 0.15, (shape[0], 1))
    demand = rng.normal(0, 0.006, shape[1]).cumsum() * rng.normal(1, 0.15, (shape[0], 1))
    drift = np.linspace(0, 1, shape[1]) * rng.normal(0.03, 0.015, (shape[0], 1))
    noise = autoregressive(rng, shape, rho=0.3, sd=0.02)
    untreated = np.rint(volume * np.exp(weekday + demand + drift + noise))
    campaign = np.isin(list(CITIES), CAMPAIGN_CITIES)[:, None] & (
        dates >= pd.Timestamp("2024-04-08")
    )
    effect = np.where(campaign, np.rint(CAMPAIGN_LIFT * untreated), 0)
    return long_table(
        {"city": list(CITIES), "date": dates.strftime("%Y-%m-%d")},
        {
            "orders": (untreated + effect).astype(np.int64),
            "campaign": campaign.astype(np.int64),
            "true_effect": effect.astype(np.int64),
        },
    )


def onoff_promotion() -> pd.DataFrame:
    """Simulate weekly sales of 30 stores; 18 run promotions now and then, the large ones more.

    The lift of 5 to 11 % is a store's own, starts and stops with the promotion and leaves nothing
    behind. Promotions are likelier in busy weeks and in large stores, so that comparing weeks with
    and without them overstates what they do.
    """
    rng = stream("onoff_promotion")
    weeks = pd.date_range("2023-01-02", periods=78, freq="7D")
    n_stores, n_weeks = 30, len(weeks)
    level = rng.uniform(45, 95, (n_stores, 1))
    season = 6 * np.cos(2 * np.pi * (np.arange(n_weeks) - 50) / 52) + 0.05 * np.arange(n_weeks)
    untreated = level + season * rng.normal(1, 0.1, (n_stores, 1))
    untreated = np.round(untreated + autoregressive(rng, (n_stores, n_weeks), 0.2, 1.5), 2)

    lift = rng.uniform(0.05, 0.11, (n_stores, 1))
    promotion = np.zeros((n_stores, n_weeks), dtype=np.bool_)
    busy = np.exp(season / 6)
    promoters = np.sort(rng.choice(n_stores, 18, replace=False, p=(level / level.sum()).ravel()))
    for store in promoters:
        for _ in range(3 + int(level[store, 0] > 70)):
            length = int(rng.integers(2, 7))
            starts = np.arange(6, n_weeks - length - 2)
            start = int(rng.choice(starts, p=busy[starts] / busy[starts].sum()))
            promotion[store, start : start + length] = True
    effect = np.where(promotion, np.round(lift * untreated, 2), 0.0)
    return long_table(
        {
            "store": [f"Store {i + 1:02d}" for i in range(n_stores)],
            "week": weeks.strftime("%Y-%m-%d"),
        },
        {
            "sales": np.round(untreated + effect, 2),
            "promotion": promotion.astype(np.int64),
            "true_effect": effect,
        },
    )


def staggered_rollout() -> pd.DataFrame:
    """Simulate missed appointments in 60 clinics; 44 get a booking system in four waves.

    The effect grows for twelve months and then stays, and is larger in the earlier waves.
    """
    rng = stream("staggered_rollout")
    sizes = [wave[1] for wave in WAVES]
    n_clinics = sum(sizes) + N_NEVER
    wave_of = rng.permutation(np.repeat(np.arange(len(WAVES) + 1), [*sizes, N_NEVER]))
    start = np.array([*(wave[0] for wave in WAVES), N_MONTHS])[wave_of][:, None]
    slope = np.array([*(wave[2] for wave in WAVES), 0.0])[wave_of][:, None]
    month = np.arange(N_MONTHS)[None, :]
    level = rng.normal(85, 12, (n_clinics, 1))
    season = 4 * np.cos(2 * np.pi * month / 12) + 0.1 * month
    untreated = np.round(level + season + autoregressive(rng, (n_clinics, N_MONTHS), 0.2, 2.0), 1)
    since = month - start + 1
    effect = np.round(np.where(since > 0, slope * np.clip(since, 0, 12), 0.0), 1)
    return long_table(
        {
            "clinic": [f"Clinic {i + 1:02d}" for i in range(n_clinics)],
            "month": pd.period_range("2020-01", periods=N_MONTHS, freq="M").astype(str),
        },
        {
            "missed_per_1000": np.round(untreated + effect, 1),
            "new_system": (since > 0).astype(np.int64),
            "true_effect": effect,
        },
    )


def long_table(
    axes: dict[str, list[str] | pd.Index[str]], matrices: dict[str, NDArray[np.generic]]
) -> pd.DataFrame:
    """Lay out matrices of units by periods as rows, by unit and then by time."""
    index = pd.MultiIndex.from_product(list(axes.values()), names=list(axes))
    columns = {name: matrix.ravel() for name, matrix in matrices.items()}
    return pd.DataFrame(columns, index=index).reset_index()


def compact(value: Any) -> str:
    """Write 0.0 and -0.0 as 0, 89.0 as 89, and other numbers at their shortest."""
    return str(int(value)) if value == int(value) else repr(float(value))


PANELS = {
    "geo_campaign": geo_campaign,
    "onoff_promotion": onoff_promotion,
    "staggered_rollout": staggered_rollout,
}


def main() -> None:
    """Write the three files."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    folder = parser.parse_args().out
    for name, simulate in PANELS.items():
        path = folder / f"{name}.csv"
        simulate().to_csv(path, index=False, lineterminator="\n", float_format=compact)


if __name__ == "__main__":
    main()

"""The panels that ship with the app, each with its story and its known result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pandas as pd

from components.errors import SpecError
from components.panel.design import Kind

FOLDER: Final = Path(__file__).resolve().parents[2] / "sample_data"


@dataclass(frozen=True)
class Sample:
    """A panel that ships with the app.

    Attributes
    ----------
    key : str
        Name in links and scripts.
    file : str
        Name of its file in ``sample_data/``.
    title : str
        Name on screen.
    story : str
        What happened, in one or two plain sentences.
    unit, time, outcome, treatment : str
        Names of the columns.
    outcome_words : str
        What the outcome is, as an axis says it.
    measure_word : str
        Its unit of measure, short enough to stand after a number.
    unit_word, units_word : str
        What one row of the panel is, and several.
    design : {"none", "block", "staggered", "reversing"}
        Shape of the assignment.
    estimator, inference : str
        Keys of the methods that it opens with.
    source : str
        Where the numbers come from.
    licence : str
        Under which they are passed on.
    known : str
        The published result, or for a simulated panel the true one.
    level : float
        Of interval and band at first; 18 placebos give no 95% interval.
    covariates : tuple of str
        Further columns that describe the units.
    true_effect : str or None
        Column with the effect in each cell, where the panel is simulated.
    """

    key: str
    file: str
    title: str
    story: str
    unit: str
    time: str
    outcome: str
    treatment: str
    outcome_words: str
    measure_word: str
    unit_word: str
    units_word: str
    design: Kind
    estimator: str
    inference: str
    source: str
    licence: str
    known: str
    covariates: tuple[str, ...] = ()
    level: float = 0.95
    true_effect: str | None = None

    @property
    def path(self) -> Path:
        """The CSV file."""
        return FOLDER / self.file


CAUSALPY: Final = "Apache-2.0 (CausalPy)"
CAUSALDATA: Final = "MIT (causaldata)"
OWN: Final = "MIT (simulated for Panelscope)"

_ALL: Final = (
    Sample(
        key="prop99",
        file="prop99.csv",
        title="California's tobacco programme",
        story=(
            "In November 1988 Californians voted for Proposition 99: from January 1989 a higher "
            "cigarette tax paid for a large anti-smoking campaign. Did Californians smoke less "
            "than they would have?"
        ),
        unit="state",
        time="year",
        outcome="packs_per_capita",
        treatment="treated",
        outcome_words="cigarette packs per person a year",
        measure_word="packs",
        unit_word="state",
        units_word="states",
        design="block",
        estimator="sc",
        inference="placebo_in_space",
        source="Abadie, Diamond and Hainmueller (2010), from CausalPy 0.9.0",
        licence=CAUSALPY,
        known=(
            "Arkhangelsky et al. (2021, table 1): -19.6 packs a year by synthetic control, -15.6 "
            "by synthetic DID, -27.3 by DID."
        ),
    ),
    Sample(
        key="brexit",
        file="brexit_gdp.csv",
        title="The Brexit vote and British output",
        story=(
            "On 23 June 2016 the United Kingdom voted to leave the European Union. Did its output "
            "fall behind what it would have been, in the years before the pandemic?"
        ),
        unit="country",
        time="quarter",
        outcome="gdp_index",
        treatment="treated",
        outcome_words="real GDP, second quarter of 2016 = 100",
        measure_word="index points",
        unit_word="country",
        units_word="countries",
        design="block",
        estimator="sc",
        inference="placebo_in_space",
        level=0.9,
        source="National accounts collected by D. Rambaccussing, from CausalPy 0.9.0",
        licence=CAUSALPY,
        known=(
            "Born et al. (2019), on other data: output 1.7 to 2.5 % lower by the end of 2018, by "
            "synthetic control."
        ),
    ),
    Sample(
        key="castle",
        file="castle_doctrine.csv",
        title="Castle doctrine laws and homicide",
        story=(
            "Between 2005 and 2009, 21 American states made it lawful to use deadly force in "
            "self-defence in more situations. Did the laws deter violence, or add to it?"
        ),
        unit="state",
        time="year",
        outcome="log_homicide",
        treatment="treated",
        outcome_words="homicides per 100,000 people, in logs",
        measure_word="log points",
        unit_word="state",
        units_word="states",
        design="staggered",
        estimator="did",
        inference="event_study",
        source="Cheng and Hoekstra (2013), from causaldata 0.1.5",
        licence=CAUSALDATA,
        known=(
            "Cheng and Hoekstra (2013): about 8 % more homicides. Two-way fixed effects on this "
            "very column: 0.0818 log points (bacondecomp, vignette)."
        ),
        covariates=(
            "unemployment_rate",
            "poverty_rate",
            "log_police",
            "log_income",
            "log_prisoners",
        ),
    ),
    Sample(
        key="texas",
        file="texas_prisons.csv",
        title="Prison building in Texas",
        story=(
            "In 1993 Texas began to double its prison capacity within a few years. How many more "
            "Black men were imprisoned than would have been?"
        ),
        unit="state",
        time="year",
        outcome="black_men_in_prison",
        treatment="treated",
        outcome_words="Black men in prison",
        measure_word="prisoners",
        unit_word="state",
        units_word="states",
        design="block",
        estimator="sc",
        inference="placebo_in_space",
        source="Cunningham and Kang (2019), from causaldata 0.1.5",
        licence=CAUSALDATA,
        known=(
            "With the predictors of Cunningham (2021, chapter 10): 20,339 more on average from "
            "1993 to 2000 (pysyncon)."
        ),
        covariates=(
            "alcohol",
            "income",
            "unemployment_rate",
            "poverty_rate",
            "black_pct",
            "age_15_to_19_pct",
            "aids_per_100k",
        ),
    ),
    Sample(
        key="geo",
        file="geo_campaign.csv",
        title="A campaign in two cities (simulated)",
        story=(
            "A web shop advertised in Leipzig and Rotterdam for three weeks and left 38 other "
            "cities alone. How many orders did the campaign bring?"
        ),
        unit="city",
        time="date",
        outcome="orders",
        treatment="campaign",
        outcome_words="orders per day",
        measure_word="orders",
        unit_word="city",
        units_word="cities",
        design="block",
        estimator="sdid",
        inference="placebo_in_space",
        source="Simulated: sample_data/make_simulated.py",
        licence=OWN,
        known="True effect: 119.1 orders a day in each of the two cities, 6 % more than without.",
        true_effect="true_effect",
    ),
    Sample(
        key="onoff",
        file="onoff_promotion.csv",
        title="Promotions that come and go (simulated)",
        story=(
            "Eighteen of 30 stores ran promotions for a few weeks at a time, mostly large stores "
            "and mostly in busy weeks. What does a week of promotion add to sales?"
        ),
        unit="store",
        time="week",
        outcome="sales",
        treatment="promotion",
        outcome_words="sales per week, thousand euros",
        measure_word="thousand euros",
        unit_word="store",
        units_word="stores",
        design="reversing",
        estimator="did",
        inference="jackknife",
        source="Simulated: sample_data/make_simulated.py",
        licence=OWN,
        known=(
            "True effect: 5.54 thousand euros per promoted week, 7.4 % more than without, and "
            "nothing once a promotion has ended."
        ),
        true_effect="true_effect",
    ),
    Sample(
        key="staggered",
        file="staggered_rollout.csv",
        title="A booking system in four waves (simulated)",
        story=(
            "Forty-four of 60 clinics got a new booking system, in four waves half a year apart. "
            "How many missed appointments did it save, and did the early clinics gain more?"
        ),
        unit="clinic",
        time="month",
        outcome="missed_per_1000",
        treatment="new_system",
        outcome_words="missed appointments per 1,000",
        measure_word="per 1,000",
        unit_word="clinic",
        units_word="clinics",
        design="staggered",
        estimator="did",
        inference="event_study",
        source="Simulated: sample_data/make_simulated.py",
        licence=OWN,
        known=(
            "True effect: 7.92 fewer per 1,000 on average; it grows for twelve months, to 14.4 "
            "in the first wave and 4.8 in the last."
        ),
        true_effect="true_effect",
    ),
)

SAMPLES: Final[Mapping[str, Sample]] = MappingProxyType({sample.key: sample for sample in _ALL})


def read_sample(key: str) -> pd.DataFrame:
    """Read a sample as the long table in its file.

    Parameters
    ----------
    key : str
        A key of ``SAMPLES``; nothing else is looked up, and never a path.

    Returns
    -------
    pandas.DataFrame
        One row per unit and period, by unit and then by time. Names, dates, months and quarters
        are text, years are integers, and an empty cell is NaN.

    Raises
    ------
    SpecError
        Where there is no such sample.
    """
    sample = SAMPLES.get(key)
    if sample is None:
        raise SpecError(
            f"There is no sample named {key!r}.", hint=f"The samples are {', '.join(SAMPLES)}."
        )
    return pd.read_csv(
        sample.path,
        dtype={sample.unit: "str"},
        keep_default_na=False,
        na_values=[""],
    )

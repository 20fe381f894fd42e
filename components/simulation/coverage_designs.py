"""The designs of the coverage study: some keep what methods assume, some break it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from components.simulation.coverage_worlds import CoverageWorld

ALIKE = CoverageWorld(
    title="All units alike",
    text="One of 20 units is treated for 5 of 40 periods; it is drawn like all others, with a "
    "level and a loading on a common factor of its own.",
    n_pre=35,
    loading_spread=0.5,
)
STATIONARY = CoverageWorld(
    title="One more period like the others",
    text="The treated unit without its errors is an average of five of eleven donors; the last of "
    "40 periods is treated, and errors are independent.",
    n_units=12,
    n_pre=39,
    n_post=1,
    loading_spread=0.5,
    mixed=True,
)
FEW_AFTER = replace(
    STATIONARY,
    title="Eight more periods like the others",
    text=STATIONARY.text.replace("the last of 40 periods is", "the last 8 of 48 periods are"),
    n_pre=40,
    n_post=8,
)
LONG = replace(
    STATIONARY,
    title="Many periods like the others",
    text=STATIONARY.text.replace("the last of 40 periods is", "the last 20 of 110 periods are"),
    n_pre=90,
    n_post=20,
)
PLAIN = CoverageWorld(
    title="Errors of one size",
    text="One of 24 units is treated for 4 of 34 periods; errors are of the same size everywhere.",
    n_units=24,
    n_pre=30,
    n_post=4,
)
BY_UNIT = replace(
    PLAIN,
    title="Errors differ between units",
    text=PLAIN.text.split(";")[0] + "; the logarithm of the error variance differs between units "
    "with standard deviation 1.",
    unit_spread=1.0,
)
BY_TIME = replace(
    PLAIN,
    title="Errors differ between periods",
    text=BY_UNIT.text.replace("between units", "between periods"),
    time_spread=1.0,
)
BY_BOTH = replace(
    BY_UNIT,
    title="Errors differ between both",
    text=BY_UNIT.text.replace("between units", "between units and between periods"),
    time_spread=1.0,
)
HALF = CoverageWorld(
    title="Half the units treated",
    text="20 of 40 units are treated for 4 of 12 periods; neighbouring errors correlate by 0.8.",
    n_units=40,
    n_treated=20,
    n_pre=8,
    n_post=4,
    rho=0.8,
)
HUNDRED = replace(
    HALF,
    title="Half of 100 units treated",
    text=HALF.text.replace("20 of 40", "50 of 100"),
    n_units=100,
    n_treated=50,
)
THREE_DATES = replace(
    HUNDRED,
    title="Three starting dates",
    text="60 of 120 units are treated, 20 each for 6, 4 and 2 of 14 periods; neighbouring errors "
    "correlate by 0.8.",
    n_units=120,
    n_treated=60,
    n_post=6,
    dates=(6, 4, 2),
)
OUTSIDE = replace(
    ALIKE,
    title="Treated unit out of reach",
    text="As all units alike, but the treated unit lies 3 standard deviations above the highest "
    "donor.",
    treated_level=3.0,
)
NOISIER = replace(
    ALIKE,
    title="Treated unit noisier",
    text="As all units alike, but the errors of the treated unit are twice as large.",
    treated_noise=2.0,
)
QUIETER = replace(
    ALIKE,
    title="Treated unit quieter",
    text="As all units alike, but the errors of the treated unit are half as large.",
    treated_noise=0.5,
)
DRIFTING = replace(
    ALIKE,
    title="Treated unit drifts away",
    text="As all units alike, but the treated unit drifts up by 0.08 standard deviations of an "
    "error in each period.",
    treated_trend=0.08,
)
DRIFTING_HALF = replace(
    HALF,
    title="Treated half drifts away",
    text=HALF.text[:-1] + "; the treated units drift up by 0.2 in each period.",
    treated_trend=0.2,
)
LASTING = replace(
    FEW_AFTER,
    title="Errors that last",
    text=FEW_AFTER.text.replace("errors are independent", "neighbouring errors correlate by 0.9"),
    rho=0.9,
)
SHOCKED = replace(
    HALF,
    title="Half the units treated, skewed shocks",
    text=HALF.text[:-1] + ", and from the first treated period on every unit, treated or not, has "
    "a lasting skewed shock of its own.",
    late_skew=1.5,
)
FIVE = replace(
    SHOCKED,
    title="Five treated units, skewed shocks",
    text=SHOCKED.text.replace("20 of 40", "5 of 40"),
    n_treated=5,
)
DESIGNS: dict[str, CoverageWorld] = {
    "alike": ALIKE,
    "stationary": STATIONARY,
    "few after": FEW_AFTER,
    "long": LONG,
    "plain": PLAIN,
    "by unit": BY_UNIT,
    "by time": BY_TIME,
    "by both": BY_BOTH,
    "half": HALF,
    "shocked": SHOCKED,
    "hundred": HUNDRED,
    "three dates": THREE_DATES,
    "outside": OUTSIDE,
    "noisier": NOISIER,
    "quieter": QUIETER,
    "drifting": DRIFTING,
    "drifting half": DRIFTING_HALF,
    "lasting": LASTING,
    "five": FIVE,
}


@dataclass(frozen=True)
class Failure:
    """A design that breaks methods.

    Attributes
    ----------
    warning : str
        Key of the diagnostic that should show.
    healthy : str
        The design that it departs from.
    """

    warning: str
    healthy: str


FAILURES: dict[str, Failure] = {
    "outside": Failure("support", "alike"),
    "noisier": Failure("noise", "alike"),
    "quieter": Failure("noise", "alike"),
    "drifting": Failure("trends", "alike"),
    "drifting half": Failure("trends", "half"),
    "lasting": Failure("autocorrelation", "few after"),
    "five": Failure("few_treated", "shocked"),
}

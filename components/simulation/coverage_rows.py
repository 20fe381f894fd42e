"""The rows of the coverage study: which method on which design, and what theory says of it."""

from __future__ import annotations

import math

import numpy as np

from components.errors import SpecError
from components.estimators import (
    TROP,
    CallawaySantAnna,
    DifferenceInDifferences,
    Estimator,
    MatrixCompletion,
    SunAbraham,
    SyntheticControl,
    SyntheticControlIntercept,
    SyntheticDID,
)
from components.inference import (
    METHODS,
    ConditionalVariance,
    Conformal,
    CrossFittedTTest,
    EventStudyErrors,
    InferenceMethod,
    Jackknife,
    JackknifePlus,
    ParametricBootstrap,
    PlaceboInSpace,
    PlaceboVariance,
    PredictionIntervals,
    UnitBootstrap,
)
from components.inference.conditional import Given
from components.simulation.coverage import Promise, Row
from components.simulation.coverage_designs import DESIGNS, FAILURES

DID, SC, SCI = DifferenceInDifferences(), SyntheticControl(), SyntheticControlIntercept()
SDID, CS, SA = SyntheticDID(), CallawaySantAnna(), SunAbraham()
MC = MatrixCompletion(penalty=0.01)
DWCP = TROP(lambda_unit=0.2, lambda_time=0.1, lambda_nn=math.inf)
MOST_LOOKS = 300  # panels in which false alarms are counted, on the twin of a broken design
FEW_LOOKS = 100  # on other healthy designs


def rows() -> list[Row]:
    """List the study: every method in ``METHODS`` has at least one row.

    A method that nothing is said of here is tried with every estimator that it takes, on the first
    design that it takes.
    """
    declared = [*_units(), *_periods(), *_conditional(), *_many(), *_broken()]
    known = {row.method.card.key for row in declared}
    return declared + [
        row for key, method in METHODS.items() if key not in known for row in _undeclared(method())
    ]


def _row(
    design: str, estimator: Estimator, method: InferenceMethod, draws: int, promise: Promise
) -> Row:
    healthy = MOST_LOOKS if design in {one.healthy for one in FAILURES.values()} else FEW_LOOKS
    looks = draws if promise == "broken" else min(draws, healthy)
    return Row(design, DESIGNS[design], estimator, method, promise, draws, looks)


def _units() -> list[Row]:
    """Methods that compare units: exact or nearly so where units are alike."""
    draws: dict[Estimator, int] = {DID: 2000, SC: 2000, SCI: 2000, SDID: 2000, MC: 900, DWCP: 1500}
    return [
        *(_row("alike", e, PlaceboInSpace(), n, "nominal") for e, n in draws.items()),
        _row("alike", SC, PlaceboInSpace(statistic="gap"), 2000, "nominal"),
        *(_row("alike", e, PlaceboVariance(), n, "nominal") for e, n in draws.items()),
        _row("alike", DID, ParametricBootstrap(n_draws=99), 360, "nominal"),
        _row("alike", SC, ParametricBootstrap(n_draws=99), 1000, "nominal"),
        _row("few after", SC, ParametricBootstrap(n_draws=99), 500, "nominal"),
    ]


def _periods() -> list[Row]:
    """Methods that compare periods: exact or nearly so where periods are alike."""
    predicted = PredictionIntervals(differences=False)
    return [
        _row("stationary", DID, Conformal(), 2000, "nominal"),
        _row("stationary", SC, Conformal(), 1000, "nominal"),
        _row("stationary", SCI, Conformal(), 1000, "nominal"),
        _row("few after", DID, Conformal(), 1000, "nominal"),
        _row("few after", DID, Conformal(statistic="size"), 500, "conservative"),
        _row("few after", DID, Conformal(permutations="iid"), 1000, "nominal"),
        *(_row("stationary", e, JackknifePlus(), 1200, "nominal") for e in (DID, SC, SCI)),
        _row("stationary", SCI, JackknifePlus(conservative=True), 600, "conservative"),
        _row("few after", SCI, JackknifePlus(), 600, "conservative"),
        _row("stationary", SC, predicted, 900, "conservative"),
        _row("few after", SC, predicted, 600, "conservative"),
        *(_row("long", e, CrossFittedTTest(), 2000, "nominal") for e in (DID, SC, SCI)),
    ]


def _conditional() -> list[Row]:
    """Conditional variance under the unevenness that each variance allows for."""
    given: dict[str, tuple[Given, ...]] = {
        "plain": ("marginal", "time", "unit", "both"),
        "by unit": ("unit", "both"),
        "by time": ("time", "both"),
        "by both": ("both",),
    }
    uneven = [
        _row(
            design,
            DID,
            ConditionalVariance(given=name),
            1200,
            "nominal",
        )
        for design, names in given.items()
        for name in names
    ]
    return uneven + [
        _row("alike", e, ConditionalVariance(), n, "nominal") for e, n in ((SC, 450), (SDID, 300))
    ]


def _many() -> list[Row]:
    """Methods that learn from the spread of many treated units."""
    return [
        _row("half", DID, Jackknife(), 450, "nominal"),
        _row("half", SDID, Jackknife(), 450, "nominal"),
        _row("half", SDID, UnitBootstrap(), 1800, "nominal"),
        _row("half", DID, UnitBootstrap(n_draws=100), 2000, "nominal"),
        *(
            _row(design, e, EventStudyErrors(), draws, "nominal")
            for design, draws in (("hundred", 1800), ("three dates", 900))
            for e in (DID, CS, SA)
        ),
    ]


def _broken() -> list[Row]:
    """Designs that depart from what a method needs, each after the same on its healthy twin."""
    pairs: list[tuple[str, Estimator, InferenceMethod, int]] = [
        ("outside", SC, PlaceboVariance(), 1200),
        ("outside", SC, PlaceboInSpace(statistic="gap"), 1200),
        *(("noisier", e, PlaceboVariance(), 1200) for e in (DID, SC, SDID)),
        ("quieter", SDID, PlaceboVariance(), 1200),
        *(("drifting", e, PlaceboVariance(), 1200) for e in (DID, SCI, SDID)),
        ("drifting half", SDID, UnitBootstrap(), 2000),
        ("lasting", DID, Conformal(), 600),
        ("lasting", DID, Conformal(permutations="iid"), 600),
        ("lasting", SCI, JackknifePlus(), 600),
        ("lasting", SC, PredictionIntervals(differences=False), 600),
        ("five", SDID, UnitBootstrap(), 1200),
        ("five", DID, EventStudyErrors(), 1800),
    ]
    twins = [
        _row("shocked", SDID, UnitBootstrap(), 1200, "nominal"),
        _row("shocked", DID, EventStudyErrors(), 1200, "nominal"),
    ]
    return twins + [_row(*pair, "broken") for pair in pairs]


def _undeclared(method: InferenceMethod) -> list[Row]:
    for design in ("alike", "stationary", "half"):
        panel = DESIGNS[design].draw(np.random.default_rng(0))
        takes = [e for e in (DID, SC, SCI, SDID) if method.why_not(e.fit(panel)) is None]
        if takes:
            return [_row(design, e, method, 1500, "nominal") for e in takes]
    raise SpecError(
        f"No design of the coverage study suits the method {method.card.title!r}.",
        hint="Add one to components/simulation/coverage_rows.py.",
    )

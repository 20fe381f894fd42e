"""One analysis, said completely: equal specs on equal data give equal numbers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from components.data import SAMPLES, Roles
from components.errors import SpecError
from components.estimators import ESTIMATORS, Estimator
from components.inference import METHODS, InferenceMethod


@dataclass(frozen=True)
class Treatment:
    """Treated units and their first treated period, chosen by hand.

    Attributes
    ----------
    units : tuple of str
        Names as on screen.
    start : str
        The first treated period as on screen, such as ``"1989"`` or ``"2016Q3"``.
    """

    units: tuple[str, ...]
    start: str


@dataclass(frozen=True)
class AnalysisSpec:
    """Data, design, method: all that a link, a script or a cache needs to know.

    Attributes
    ----------
    source : str
        ``"sample:prop99"``, or ``"sha256:"`` and the digest of an uploaded file.
    columns : Roles
        Which columns are unit, time, outcome and treatment.
    treatment : Treatment, optional
        Chosen by hand; None takes the table's treatment column.
    window : tuple of str, optional
        First and last period that enter; None takes all.
    dropped : tuple of str
        Units that are left out.
    estimator : Estimator
        Imputes the untreated outcomes.
    inference : InferenceMethod, optional
        Says how sure; None asks for the estimate alone.
    level : float
        Of interval and band, between 0 and 1.
    seed : int
        For everything drawn at random.
    skipped : tuple of str
        Periods that are left out.
    blanked : tuple of (str, str)
        Unit and period of cells whose outcome is taken as not observed.
    smoothed : tuple of (str, str)
        Unit and period of cells that take what their neighbours in time suggest, in this order
        (:func:`components.numerics.stand_ins.stand_ins`).
    """

    source: str
    columns: Roles
    treatment: Treatment | None = None
    window: tuple[str, str] | None = None
    dropped: tuple[str, ...] = ()
    estimator: Estimator = field(default_factory=ESTIMATORS["sc"])
    inference: InferenceMethod | None = field(default_factory=METHODS["placebo_in_space"])
    level: float = 0.95
    seed: int = 0
    skipped: tuple[str, ...] = ()
    blanked: tuple[tuple[str, str], ...] = ()
    smoothed: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not 0.5 <= self.level <= 0.999:
            raise SpecError(
                f"The level {self.level:g} is not between 0.5 and 0.999.",
                hint="Choose a level such as 0.95.",
            )
        if self.seed < 0:
            raise SpecError(f"The seed {self.seed} is negative.", hint="Choose 0 or more.")

    @property
    def sample(self) -> str | None:
        """Key of the sample it is about, or None for an uploaded table."""
        kind, _, key = self.source.partition(":")
        return key if kind == "sample" else None

    def with_(self, **changes: Any) -> AnalysisSpec:
        """Return the spec with some fields changed."""
        return replace(self, **changes)


def sample_spec(key: str) -> AnalysisSpec:
    """Give the analysis that a sample opens with.

    Parameters
    ----------
    key : str
        A key of ``SAMPLES``.

    Raises
    ------
    SpecError
        Where there is no such sample.
    """
    if key not in SAMPLES:
        raise SpecError(
            f"There is no sample named {key!r}.", hint=f"The samples are {', '.join(SAMPLES)}."
        )
    sample = SAMPLES[key]
    return AnalysisSpec(
        source=f"sample:{key}",
        columns=Roles(
            sample.unit,
            sample.time,
            sample.outcome,
            sample.treatment,
            covariates=sample.covariates,
        ),
        estimator=ESTIMATORS[sample.estimator](),
        inference=METHODS[sample.inference](),
        level=sample.level,
    )

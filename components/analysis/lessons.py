"""What each method does and leans on, in plain words: to read before choosing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class Lesson:
    """An estimator at a glance; the estimators differ in these four places only.

    Attributes
    ----------
    donors : str
        How the donors count.
    periods : str
        How the periods before treatment count.
    level : str
        Whether the donors may lie above or below the treated.
    factors : str
        What becomes of movements that units share to different degrees.
    leans_on : str
        What has to hold, in one sentence.
    """

    donors: str
    periods: str
    level: str
    factors: str
    leans_on: str


ALIKE: Final = "all alike"
MAY_DIFFER: Final = "may differ; the usual distance is taken off"
MUST_MATCH: Final = "must be matched by the donors"
THROUGH_DONORS: Final = "only as far as the weighted donors share them"
NO_FACTORS: Final = "none"
FOUND: Final = "found in the table itself"

ESTIMATOR_LESSONS: Final[Mapping[str, Lesson]] = MappingProxyType(
    {
        "did": Lesson(
            ALIKE,
            ALIKE,
            MAY_DIFFER,
            NO_FACTORS,
            "Without treatment, treated and untreated units would have moved in parallel.",
        ),
        "sc": Lesson(
            "chosen so that their average tracks the treated",
            "all alike, to choose the donors",
            MUST_MATCH,
            THROUGH_DONORS,
            "A mix of donors that tracked the treated for long before treatment would have gone on "
            "doing so.",
        ),
        "sc_intercept": Lesson(
            "chosen so that their average runs parallel to the treated",
            "all alike",
            MAY_DIFFER,
            THROUGH_DONORS,
            "A mix of donors that kept its distance from the treated for long before treatment "
            "would have gone on keeping it.",
        ),
        "mc": Lesson(
            ALIKE,
            ALIKE,
            MAY_DIFFER,
            FOUND,
            "Outcomes are made of a unit's level, a period's level and a few common factors, and "
            "who is treated when has nothing to do with what is left.",
        ),
        "sdid": Lesson(
            "chosen so that their average runs parallel, and kept spread out",
            "chosen to look like the treated periods",
            MAY_DIFFER,
            THROUGH_DONORS,
            "Either the weighted donors run parallel to the treated, or the weighted periods stand "
            "in for the treated ones.",
        ),
        "trop": Lesson(
            "the more like the treated, the more they count",
            "the nearer in time, the more they count",
            MAY_DIFFER,
            FOUND,
            "One of three is enough: the weights on units, the weights on periods or the common "
            "factors remove what the others leave.",
        ),
        "callaway_santanna": Lesson(
            "those never treated alike, or all not treated yet",
            "the last before each adoption",
            MAY_DIFFER,
            NO_FACTORS,
            "From its adoption on, each cohort would have moved in parallel to its controls.",
        ),
        "sun_abraham": Lesson(
            "those never treated alike",
            "the last before each adoption",
            MAY_DIFFER,
            NO_FACTORS,
            "Each cohort would have moved in parallel to the never treated.",
        ),
    }
)

INFERENCE_LESSONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "placebo_in_space": (
            "Given the treated periods, it asks how far donors stray. It holds its level where "
            "treated and donors could have swapped places; a treated unit that is noisier or "
            "quieter than its donors breaks that."
        ),
        "conditional": (
            "It asks how far the estimator errs where nothing happened: in the same periods, for "
            "the same unit, for both or for all cells. Holding fixed what makes errors uneven "
            "gains power; where errors are even it costs a little."
        ),
        "placebo_variance": (
            "Given the treated periods, it takes the spread among donors as that of the treated: "
            "their noise has to be alike."
        ),
        "conformal": (
            "Given the treated unit, it asks how far periods stray. Periods have to be "
            "exchangeable once the effect is taken off: a trend in the gaps breaks that."
        ),
        "prediction": (
            "Given the donors' outcomes, it adds two parts: weights that may be wrong, and what a "
            "single period does on its own."
        ),
        "t_test": (
            "Given the treated unit, it compares blocks of periods: the gaps have to keep their "
            "mean and spread over time."
        ),
        "jackknife_plus": (
            "Given the treated unit, errors on left-out periods before treatment have to be like "
            "those after it."
        ),
        "jackknife": (
            "Units are as if drawn from many; it takes several treated ones to see how much they "
            "vary."
        ),
        "bootstrap": (
            "Units are as if drawn from many; it takes several treated ones to see how much they "
            "vary."
        ),
        "parametric": (
            "The fitted model is taken as true: a few common factors, and normal noise that each "
            "unit carries over time."
        ),
        "event_study": (
            "Units are independent of each other, while each may depend on its own past; it takes "
            "many of them."
        ),
    }
)
"""What an interval holds fixed, and where it keeps its level."""

GLOSSARY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Counterfactual": "What the treated units would have done without the treatment: never "
        "seen, always estimated.",
        "Donor": "A unit that was never treated and helps to build the counterfactual.",
        "Cell": "One unit in one period.",
        "Weight": "How much a donor or a period counts.",
        "Effect": "Observed minus counterfactual, in a treated cell.",
        "Placebo": "A unit or period without treatment, treated as if it had one: its true effect "
        "is zero.",
        "Common factor": "A movement that many units share, each to its own degree.",
        "Interval and band": "Where the true effect may lie, at the level chosen. Pointwise: at "
        "that level for each period by itself; simultaneous: for all of them together.",
    }
)
"""Words that every page uses."""

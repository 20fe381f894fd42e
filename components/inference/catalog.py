"""Every inference method, in the order of the screen."""

from __future__ import annotations

from components.inference.base import InferenceMethod
from components.inference.bootstrap import UnitBootstrap
from components.inference.conditional import ConditionalVariance
from components.inference.conformal import Conformal
from components.inference.cwz_t_test import CrossFittedTTest
from components.inference.event_study import EventStudyErrors
from components.inference.jackknife import Jackknife
from components.inference.jackknife_plus import JackknifePlus
from components.inference.parametric import ParametricBootstrap
from components.inference.placebo import PlaceboInSpace
from components.inference.placebo_variance import PlaceboVariance
from components.inference.prediction import PredictionIntervals

METHODS: dict[str, type[InferenceMethod]] = {
    method.card.key: method
    for method in (
        PlaceboInSpace,
        ConditionalVariance,
        PlaceboVariance,
        Conformal,
        PredictionIntervals,
        CrossFittedTTest,
        JackknifePlus,
        Jackknife,
        UnitBootstrap,
        ParametricBootstrap,
        EventStudyErrors,
    )
}

"""How sure: from an estimate to interval, band and p-value."""

from components.inference.base import (
    Band,
    InferenceMethod,
    Interval,
    Progress,
    Uncertainty,
    silent,
)
from components.inference.bootstrap import UnitBootstrap
from components.inference.catalog import METHODS
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

__all__ = [
    "METHODS",
    "Band",
    "ConditionalVariance",
    "Conformal",
    "CrossFittedTTest",
    "EventStudyErrors",
    "InferenceMethod",
    "Interval",
    "Jackknife",
    "JackknifePlus",
    "ParametricBootstrap",
    "PlaceboInSpace",
    "PlaceboVariance",
    "PredictionIntervals",
    "Progress",
    "Uncertainty",
    "UnitBootstrap",
    "silent",
]

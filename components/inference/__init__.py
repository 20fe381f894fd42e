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
from components.inference.conformal import Conformal
from components.inference.event_study import EventStudyErrors
from components.inference.jackknife import Jackknife
from components.inference.placebo import PlaceboInSpace

__all__ = [
    "METHODS",
    "Band",
    "Conformal",
    "EventStudyErrors",
    "InferenceMethod",
    "Interval",
    "Jackknife",
    "PlaceboInSpace",
    "Progress",
    "Uncertainty",
    "UnitBootstrap",
    "silent",
]

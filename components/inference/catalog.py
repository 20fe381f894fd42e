"""Every inference method, in the order of the screen."""

from __future__ import annotations

from components.inference.base import InferenceMethod
from components.inference.bootstrap import UnitBootstrap
from components.inference.conformal import Conformal
from components.inference.event_study import EventStudyErrors
from components.inference.jackknife import Jackknife
from components.inference.placebo import PlaceboInSpace

METHODS: dict[str, type[InferenceMethod]] = {
    method.card.key: method
    for method in (PlaceboInSpace, Conformal, Jackknife, UnitBootstrap, EventStudyErrors)
}

"""Every estimator, in the order of the screen."""

from __future__ import annotations

from components.estimators.base import Estimator
from components.estimators.callaway_santanna import CallawaySantAnna
from components.estimators.did import DifferenceInDifferences
from components.estimators.matrix_completion import MatrixCompletion
from components.estimators.sc_intercept import SyntheticControlIntercept
from components.estimators.sdid import SyntheticDID
from components.estimators.sun_abraham import SunAbraham
from components.estimators.synthetic_control import SyntheticControl
from components.estimators.trop import TROP

ESTIMATORS: dict[str, type[Estimator]] = {
    estimator.card.key: estimator
    for estimator in (
        DifferenceInDifferences,
        SyntheticControl,
        SyntheticControlIntercept,
        MatrixCompletion,
        SyntheticDID,
        TROP,
        CallawaySantAnna,
        SunAbraham,
    )
}

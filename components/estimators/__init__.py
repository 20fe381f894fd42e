"""Impute the untreated outcome of every treated cell."""

from components.estimators.base import Card, Estimate, Estimator, FastPlacebos, NullModel
from components.estimators.callaway_santanna import CallawaySantAnna
from components.estimators.catalog import ESTIMATORS
from components.estimators.did import DifferenceInDifferences
from components.estimators.matrix_completion import MatrixCompletion
from components.estimators.sc_intercept import SyntheticControlIntercept
from components.estimators.sdid import SyntheticDID
from components.estimators.sun_abraham import SunAbraham
from components.estimators.synthetic_control import SyntheticControl
from components.estimators.trop import TROP

__all__ = [
    "ESTIMATORS",
    "TROP",
    "CallawaySantAnna",
    "Card",
    "DifferenceInDifferences",
    "Estimate",
    "Estimator",
    "FastPlacebos",
    "MatrixCompletion",
    "NullModel",
    "SunAbraham",
    "SyntheticControl",
    "SyntheticControlIntercept",
    "SyntheticDID",
]

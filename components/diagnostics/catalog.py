"""Every diagnostic, in the order of the screen within a verdict."""

from __future__ import annotations

from components.diagnostics.anticipation import Anticipation
from components.diagnostics.autocorrelation import Autocorrelation
from components.diagnostics.backdating import Backdating
from components.diagnostics.balance import PredictorBalance
from components.diagnostics.base import Diagnostic
from components.diagnostics.concentration import Concentration
from components.diagnostics.contamination import Contamination
from components.diagnostics.equal_fits import EqualFits
from components.diagnostics.few_treated import FewTreated
from components.diagnostics.fit import PrePeriodFit
from components.diagnostics.honest import HonestBounds
from components.diagnostics.influence import Influence
from components.diagnostics.leave_donor_out import LeaveDonorOut
from components.diagnostics.leave_treated_out import LeaveTreatedOut
from components.diagnostics.missingness import Missingness
from components.diagnostics.multiplicity import Multiplicity
from components.diagnostics.noise import NoiseRatio
from components.diagnostics.placebo_units import PlaceboUnits
from components.diagnostics.support import Reach
from components.diagnostics.time_support import TimeSupport
from components.diagnostics.trends import Trends

DIAGNOSTICS: dict[str, type[Diagnostic]] = {
    diagnostic.card.key: diagnostic
    for diagnostic in (
        PrePeriodFit,
        Reach,
        Trends,
        HonestBounds,
        Anticipation,
        Backdating,
        PlaceboUnits,
        Contamination,
        Influence,
        LeaveDonorOut,
        LeaveTreatedOut,
        EqualFits,
        Concentration,
        NoiseRatio,
        FewTreated,
        Autocorrelation,
        PredictorBalance,
        TimeSupport,
        Missingness,
        Multiplicity,
    )
}
QUICK = frozenset(
    {
        "fit",
        "concentration",
        "time_support",
        "missingness",
        "balance",
        "few_treated",
        "support",
        "trends",
        "noise",
        "autocorrelation",
        "multiplicity",
    }
)
"""Those that refit nothing, or only closed forms and weights of single units."""

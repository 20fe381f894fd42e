"""Other weightings that fit as well, and how different an effect they give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from components.arrays import Floats
from components.diagnostics.base import Finding, Verdict
from components.diagnostics.cell_moves import block_fit
from components.diagnostics.phrases import number
from components.errors import SpecError
from components.estimators import Estimate
from components.estimators.base import Card
from components.estimators.sc_intercept import SyntheticControlIntercept
from components.estimators.sdid import SyntheticDID
from components.estimators.synthetic_control import SyntheticControl
from components.inference.base import Progress, Uncertainty
from components.numerics.equal_fits import highest_in_ball
from components.numerics.influence import BlockFit

MARGIN = 0.05  # of the fit before treatment
WIDE = 0.5  # of the effect's own size: a spread that a reader should know of


@dataclass(frozen=True, eq=False)
class EqualRange:
    """The smallest and the largest effect among weightings that fit nearly as well.

    Attributes
    ----------
    lowest, highest : float
        Average effects.
    lowest_weights, highest_weights : Floats, shape (J,)
        Unit weights that give them, averaged over cohorts.
    lowest_path, highest_path : Floats, shape (T,), optional
        Counterfactuals of the treated average; None in a staggered design.
    perfect : bool
        The weights fit without error, so that the others do too.
    gap : float
        Bound on how much wider the range could be; rounding error.
    """

    lowest: float
    highest: float
    lowest_weights: Floats
    highest_weights: Floats
    lowest_path: Floats | None
    highest_path: Floats | None
    perfect: bool
    gap: float


@dataclass(frozen=True)
class EqualFits:
    r"""Range of the effect over weightings whose fit before treatment is nearly as good.

    .. math:: \min, \max\ \hat\tau(w) \quad\text{s.t.}\quad w \in \Delta,\
              |\bar Y_{tr} - w'Y_{co}|_{pre} \le (1 + m)\,|\bar Y_{tr} - \hat\omega'Y_{co}|_{pre}

    Series are measured from their own mean where the method leaves the level free; the time
    weights of synthetic DID are held.

    Parameters
    ----------
    margin : float
        m, such as 0.05: a fit at most 5 % worse than that of the weights in use.
    """

    margin: float = MARGIN

    card: ClassVar[Card] = Card(
        key="equal_fits",
        title="Other weights that fit as well",
        idea="The smallest and largest effect among donor weightings that fit nearly as well.",
        reference="Breiman (2001), Statistical Science 16(3), 199-231, on the multiplicity of "
        "good models; King and Zeng (2006), Political Analysis 14(2), on dependence on the model.",
    )

    def __post_init__(self) -> None:
        if not 0.0 <= self.margin <= 10.0:
            raise SpecError(
                f"The margin {self.margin:g} is not between 0 and 10.",
                hint="Choose a share such as 0.05.",
            )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for weights on the simplex that track the average of the treated units."""
        estimator, weights = estimate.estimator, estimate.unit_weights
        known = (SyntheticControl, SyntheticControlIntercept, SyntheticDID)
        if not isinstance(estimator, known) or weights is None:
            return f"{estimator.card.title} does not weight donors to fit the time before."
        if isinstance(estimator, SyntheticControl) and (
            (estimator.fit_to == "each" and estimate.panel.design.n_treated > 1)
            or estimator.augment
        ):
            return "With these options the effect does not come from one set of donor weights."
        if isinstance(estimator, SyntheticDID) and estimator.covariates:
            return "It looks at outcomes as they are, not with covariates taken out."
        if weights.min() < 0.0 or not np.isclose(weights.sum(), 1.0):
            return "The donor weights are not shares that sum to one."
        if estimate.panel.design.kind not in {"block", "staggered"}:
            return "It needs treatment that lasts to the end."
        return None

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Compute the range and say whether the effect depends on the choice among fits."""
        found = equal_range(estimate, self.margin)
        progress(1.0)
        verdict, advice = self._judge(estimate, uncertainty, found)
        design = estimate.panel.design
        fit = "without error" if found.perfect else f"at most {self.margin:.0%} worse"
        crowd = (
            f" There are {design.n_controls} donors and {design.n_pre} periods before treatment, "
            "so many weightings fit alike."
            if design.n_controls > design.n_pre
            else ""
        )
        sentence = (
            f"Donor weights that fit the time before {fit} give average effects from "
            f"{number(found.lowest, 4)} to {number(found.highest, 4)}; the estimate is "
            f"{number(estimate.att, 4)}.{crowd}"
        )
        return Finding(
            self.card.key,
            self.card.title,
            verdict,
            sentence,
            advice,
            weights_table(estimate, found),
            {"range": found, "margin": self.margin},
        )

    def _judge(
        self, estimate: Estimate, uncertainty: Uncertainty | None, found: EqualRange
    ) -> tuple[Verdict, str]:
        interval = None if uncertainty is None else uncertainty.interval
        clear = interval is not None and 0.0 not in interval
        both_signs = found.lowest < 0.0 < found.highest
        if both_signs and clear:
            return "bad", (
                "The sign rests on a choice among weightings that the time before treatment cannot "
                "tell apart: use synthetic DID or fewer, more similar donors, and report the range."
            )
        width = found.highest - found.lowest
        if width > WIDE * abs(estimate.att):
            return "caution", "Report the range beside the estimate, or use fewer donors."
        return "good", ""


def equal_range(estimate: Estimate, margin: float) -> EqualRange:
    """Compute the range; with several cohorts, the sum of theirs by their shares.

    Parameters
    ----------
    estimate : Estimate
        That `EqualFits.why_not` lets pass.
    margin : float
        By how much the fit may be worse, as a share.

    Returns
    -------
    EqualRange
    """
    if "cohorts" not in estimate.details:
        return _of_block(estimate, margin)
    panel, table = estimate.panel, estimate.details["cohorts"]
    parts, shares = [], []
    for cohort, share in zip(panel.design.cohorts, table["share"], strict=True):
        if share > 0.0:
            keep = ~panel.design.treated
            keep[cohort.rows] = True
            parts.append(_of_block(estimate.estimator.fit(panel.take(keep)), margin))
            shares.append(float(share))
    return EqualRange(
        lowest=float(np.dot(shares, [part.lowest for part in parts])),
        highest=float(np.dot(shares, [part.highest for part in parts])),
        lowest_weights=np.average([part.lowest_weights for part in parts], 0, shares),
        highest_weights=np.average([part.highest_weights for part in parts], 0, shares),
        lowest_path=None,
        highest_path=None,
        perfect=all(part.perfect for part in parts),
        gap=float(np.dot(shares, [part.gap for part in parts])),
    )


def _of_block(estimate: Estimate, margin: float) -> EqualRange:
    fit = block_fit(estimate)
    P = fit.controls[:, : fit.n_pre].T - fit.treated[:, : fit.n_pre].mean(axis=0)[:, None]
    if fit.intercept:
        P = P - P.mean(axis=0)
    own = float(np.linalg.norm(P @ fit.omega))
    level = float(np.ptp(P, axis=1).max())
    perfect = own <= 1e-8 * level * np.sqrt(len(P))
    contrast = np.append(-fit.lam, np.full(fit.n_post, 1.0 / fit.n_post))
    costs = fit.controls @ contrast
    low = highest_in_ball(P, fit.omega, costs, (1.0 + margin) * own)
    high = highest_in_ball(P, fit.omega, -costs, (1.0 + margin) * own)
    observed = float(fit.treated.mean(axis=0) @ contrast)
    return EqualRange(
        lowest=observed - low.value,
        highest=observed + high.value,
        lowest_weights=low.weights,
        highest_weights=high.weights,
        lowest_path=_path(fit, low.weights),
        highest_path=_path(fit, high.weights),
        perfect=bool(perfect),
        gap=low.gap + high.gap,
    )


def _path(fit: BlockFit, weights: Floats) -> Floats:
    synthetic = weights @ fit.controls
    level = (fit.treated.mean(axis=0) - synthetic)[: fit.n_pre] @ fit.lam
    return np.asarray(synthetic + level)


def weights_table(estimate: Estimate, found: EqualRange) -> pd.DataFrame:
    """Put the weights in use beside those at both ends, the largest first.

    Returns
    -------
    pandas.DataFrame
        unit, weight, lowest, highest.
    """
    assert estimate.unit_weights is not None
    table = pd.DataFrame(
        {
            "unit": [str(unit) for unit in estimate.unit_weights.index],
            "weight": estimate.unit_weights.to_numpy(),
            "lowest": found.lowest_weights,
            "highest": found.highest_weights,
        }
    )
    largest = table[["weight", "lowest", "highest"]].max(axis=1)
    return table.loc[largest.sort_values(ascending=False, kind="stable").index].reset_index(
        drop=True
    )

"""Whether donors and treated units are alike in what describes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from components.arrays import Floats
from components.diagnostics.base import Finding, Verdict
from components.diagnostics.phrases import counted, listed, number
from components.diagnostics.unit_gaps import treated_name
from components.estimators.base import Card, Estimate
from components.inference.base import Progress, Uncertainty

KEY = "balance"


@dataclass(frozen=True)
class PredictorBalance:
    """Compare covariates before treatment: treated, weighted donors, all donors.

    Differences are in standard deviations between the donors.

    Parameters
    ----------
    caution, bad : float
        A quarter of a standard deviation is the customary limit above which adjusting for the rest
        by regression cannot be trusted (Rubin 2001); one is a whole standard deviation.

    References
    ----------
    Abadie, Diamond and Hainmueller (2010), table 1; Rubin (2001), Health Services and Outcomes
    Research Methodology 2, 169-188; Imbens and Rubin (2015), section 14.2.
    """

    caution: float = 0.25
    bad: float = 1.0

    card: ClassVar[Card] = Card(
        key=KEY,
        title="Balance of covariates",
        idea="Are weighted donors and treated units alike in what describes them?",
        reference="Abadie, Diamond and Hainmueller (2010), JASA 105(490), table 1.",
    )

    def why_not(self, estimate: Estimate) -> str | None:
        """Ask for covariates, and donor weights."""
        panel = estimate.panel
        if not panel.X:
            return "The table has no covariates: name some on the data page to compare them here."
        if estimate.unit_weights is None:
            title = estimate.estimator.card.title
            return f"{title} has no single set of donor weights to average covariates with."
        if not panel.design.n_pre:
            return "Nothing was seen before treatment."
        return None

    def examine(
        self, estimate: Estimate, uncertainty: Uncertainty | None, progress: Progress
    ) -> Finding:
        """Average each covariate over the periods before anyone is treated."""
        table = _table(estimate)
        progress(1.0)
        title = self.card.title
        known = table.dropna(subset=["difference"])
        if not len(known):
            text = "No covariate is known for treated units and donors before treatment."
            return Finding(KEY, title, "unknown", text, table=table)
        size = known["difference"].abs()
        off = known.loc[size.sort_values(ascending=False, kind="stable").index]
        off = off[off["difference"].abs() > self.caution]
        verdict: Verdict = "good"
        if len(off):
            verdict = "bad" if size.max() > self.bad else "caution"
        equal = number(float(known["difference_all_donors"].abs().mean()), 2)
        worst = known.iloc[int(size.to_numpy().argmax())]
        text = (
            f"Weighted donors differ from {treated_name(estimate.panel)} by "
            f"{number(float(size.mean()), 2)} standard deviations on average over "
            f"{counted(len(known), 'covariate')} (all donors alike: {equal}); "
            f"most in {worst['covariate']}, {number(float(worst['treated']))} against "
            f"{number(float(worst['weighted_donors']))}."
        )
        names = listed(off["covariate"].tolist()) if len(off) else ""
        return Finding(
            KEY,
            title,
            verdict,
            text,
            advice=ADVICE.format(names=names) if names else "",
            table=table,
            details={"largest": float(size.max())},
        )


ADVICE = (
    "Put {names} among the predictors of synthetic control, or among the covariates of DID or "
    "synthetic DID, on the method page; or choose donors that are more alike."
)


def _table(estimate: Estimate) -> pd.DataFrame:
    panel, weights = estimate.panel, estimate.unit_weights
    assert weights is not None
    treated = panel.design.treated
    rows = []
    for name, values in panel.X.items():
        means = _means(values[:, : panel.design.n_pre])
        own, donors = means[treated], means[~treated]
        share = np.nan_to_num(weights.reindex(panel.units[~treated]).to_numpy(dtype=np.float64))
        known = np.isfinite(donors)
        spread = float(donors[known].std(ddof=1)) if known.sum() > 1 else float("nan")
        total = float(share[known].sum())
        target = float(own[np.isfinite(own)].mean()) if np.isfinite(own).any() else float("nan")
        weighted = float(share[known] @ donors[known] / total) if total else float("nan")
        plain = float(donors[known].mean()) if known.any() else float("nan")
        scale = spread if spread > 0.0 else float("nan")
        gap, gap_plain = (target - weighted) / scale, (target - plain) / scale
        rows.append((name, target, weighted, plain, gap, gap_plain))
    columns = ["covariate", "treated", "weighted_donors", "all_donors"]
    return pd.DataFrame(rows, columns=[*columns, "difference", "difference_all_donors"])


def _means(values: Floats) -> Floats:
    known = np.isfinite(values)
    count = known.sum(axis=1)
    sums = np.where(known, values, 0.0).sum(axis=1)
    means: Floats = np.divide(sums, count, out=np.full(len(values), np.nan), where=count > 0)
    return means

"""The p-values of a whole specification curve (Simonsohn, Simmons and Nelson 2020)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from components.analysis.specification import Fits
from components.arrays import Floats

OUTSTANDING = 0.1
"""A unit stands out in a specification where at most this share of units has as large a ratio of
the gaps after treatment to those before."""


def curve_test(effects: Floats, ratios: Floats, placebos: Fits) -> pd.DataFrame:
    r"""Compare three summaries of the curve with those of the placebo curves.

    With :math:`s_0` the summary of the treated and :math:`s_1, \dots, s_P` those of the placebos,
    :math:`p = \frac{1 + \#\{j: s_j \ge s_0\}}{1 + P}`, which cannot be below
    :math:`1/(1+P)`.

    Parameters
    ----------
    effects, ratios : Floats, shape (S,)
        Of the treated units, as in `Fits`.
    placebos : Fits
        Of never-treated units in the same specifications.

    Returns
    -------
    pandas.DataFrame
        summary, value, placebo_median, p_value, smallest_p; the summaries are the size of the
        median effect, the share of effects with the more frequent sign, and the share of
        specifications in which the unit stands out.
    """
    every = np.vstack([effects, placebos.effects])
    sizes = np.vstack([ratios, placebos.ratios])
    larger = np.stack([(sizes >= own).mean(axis=0) for own in sizes])
    summaries = {
        "size of the median effect": np.abs(np.median(every, axis=1)),
        "share of the more frequent sign": np.maximum(
            (every > 0.0).mean(axis=1), (every < 0.0).mean(axis=1)
        ),
        "share in which it stands out": (larger <= OUTSTANDING + 1e-9).mean(axis=1),
    }
    rows = []
    for name, values in summaries.items():
        p_value = float((values >= values[0] * (1.0 - 1e-12)).mean())
        rows.append((name, float(values[0]), float(np.median(values[1:])), p_value))
    table = pd.DataFrame(rows, columns=["summary", "value", "placebo_median", "p_value"])
    return table.assign(smallest_p=1.0 / len(every))

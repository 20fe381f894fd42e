"""The p-values of a whole specification curve (Simonsohn, Simmons and Nelson 2020)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from components.analysis.curve_words import OUTSTANDING, OWN
from components.analysis.curve_worlds import Fits
from components.arrays import Floats, Ints


def in_common(table: pd.DataFrame, placebos: Fits, places: Ints) -> tuple[pd.DataFrame, Fits]:
    """Keep the specifications that both the curve and the placebo curves have, in one order.

    Parameters
    ----------
    table : pandas.DataFrame
        As `components.analysis.curve_words.with_declared` gives it.
    placebos : Fits
    places : Ints, shape (S,)
        Number of each of their specifications among the choices, increasing.

    Returns
    -------
    pandas.DataFrame, Fits
    """
    own = table[table["donors"].ne(OWN) & table["place"].isin(places)]
    return own, placebos.take(np.searchsorted(places, own["place"].to_numpy()))


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

"""Repeated rows and gaps: nothing happens unless it is chosen."""

from __future__ import annotations

import numpy as np

from .cases import Case, Y, asks, csv, exact, refuses, rows, said, truth

TWICE = rows()
TWICE.append(["Cedar", "2003", "10.75", "0"])
MISSING = rows()
del MISSING[1 + 2 * 6 + 2]
NAN = Y.copy()
NAN[2, 2] = np.nan
MEAN, SUM, LINE = Y.copy(), Y.copy(), Y.copy()
MEAN[2, 2], SUM[2, 2], LINE[2, 2] = (8.75 + 10.75) / 2, 8.75 + 10.75, (9.25 + 6.5) / 2
EDGE = rows()
EDGE[1][2] = ""
EDGED = Y.copy()
EDGED[0, 0] = np.nan
ONSET = rows()
ONSET[1 + 6 + 3][2] = ""
AT = Y.copy()
AT[1, 3] = np.nan
IRREGULAR = [
    [row[0], {"2004": "2005", "2005": "2007", "2006": "2009"}.get(row[1], row[1]), *row[2:]]
    for row in MISSING
]
UNEVEN = Y.copy()
UNEVEN[2, 2] = 9.25 + (6.5 - 9.25) * 1 / 3
KEPT = [0, 1, 3]
ALSO = [0, 1, 3, 4, 5]
CHOICES: dict[str, Case] = {
    "twice: the first": asks(csv(TWICE), "duplicates", "first"),
    "twice: the mean": asks(csv(TWICE), "duplicates", "mean", truth(MEAN)),
    "twice: the sum": asks(csv(TWICE), "duplicates", "sum", truth(SUM)),
    "the same row twice": asks(csv([*rows(), rows()[5]]), "duplicates", "first"),
    "twice, in another order": asks(
        csv([TWICE[0], *TWICE[:0:-1]]), "duplicates", "mean", truth(MEAN)
    ),
    "twice, and treated in one of them": refuses(
        csv([*rows(), ["Cedar", "2003", "10.75", "1"]]), "disagree", duplicates="mean"
    ),
    "a gap kept": said(csv(MISSING), "1 pair of unit and period without a row", truth(NAN)),
    "a gap: the unit left out": said(
        csv(MISSING),
        "1 unit with a missing outcome left out",
        truth().take(KEPT),
        gaps="drop_units",
    ),
    "a gap: the period left out": said(
        csv(MISSING),
        "1 period with a missing outcome left out",
        truth().window(ALSO),
        gaps="drop_periods",
    ),
    "a gap interpolated": said(
        csv(MISSING), "1 outcome interpolated", truth(LINE), gaps="interpolate"
    ),
    "a gap interpolated in uneven time": said(
        csv(IRREGULAR),
        "1 outcome interpolated",
        truth(UNEVEN, periods=(2001, 2002, 2003, 2005, 2007, 2009)),
        gaps="interpolate",
    ),
    "a gap at the end is not interpolated": said(
        csv(EDGE), "1 cell at the ends", truth(EDGED), gaps="interpolate"
    ),
    "a gap at the onset is not interpolated": said(
        csv(ONSET), "next to its first treated period", truth(AT), gaps="interpolate"
    ),
    "no gap, and a choice": exact(csv(), gaps="interpolate"),
}

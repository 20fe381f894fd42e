"""The designs of the published placebo tables, row by row.

TROP: Athey, Imbens, Qu and Viviano (2025), arXiv 2508.21536v2, and the settings and raw results
stored with its authors' code. SDID: Arkhangelsky et al. (2021), AER 111(12), tables 2 and 3. The
rows stand in ``published/designs.csv``, the printed numbers in ``published/printed.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from components.simulation.factor_model import Variant
from components.simulation.replication_fits import Triple

PUBLISHED = Path(__file__).parent / "published"
TABLE_OF_SDID = "SDID 2 and 3"
TABLE_OF_RESTRICTIONS = "5 A"
KEYNOTE = "1, raw"
"""The nine rows that the compare page shows."""

FULL = (KEYNOTE, "2 top", "1, other panels")
"""Tables whose low-rank fits take all 1,000 draws, with the estimators as defined beside them."""

SOME, FEW, FEWER, FEWEST = 250, 100, 60, 20
"""Draws of what is slow: low-rank fits, the more so with cross-validation or many units."""


@dataclass(frozen=True)
class Fit:
    """A column of a table.

    Attributes
    ----------
    column : str
        As printed, or "... as defined" for what the name would mean.
    form : str
        Key of ``replication_fits.FORMS``.
    penalties : tuple of float
        On units, periods and the nuclear norm, as printed.
    n_draws : int
    """

    column: str
    form: str
    penalties: Triple = (0.0, 0.0, np.inf)
    n_draws: int = 1000


@dataclass(frozen=True)
class Design:
    """A row of a table.

    Attributes
    ----------
    table, row : str
        Where the printed numbers stand.
    dataset, treatment : str
        Key of ``replication_data.DATASETS``, and the column of the assignment to imitate.
    fits : tuple of Fit
    assignment : {"logistic", "random", "simulated"}
    variant : str
        Key of ``factor_model.DROPPED``.
    n_treated, n_post : int
    recipe : {"trop", "sdid"}
        Whose code is followed. "trop" replays its draws; "sdid" differs in the rounding of the
        autoregression, in what happens where nobody is treated, and in the random numbers.
    resampled : int
        Units drawn with replacement in each draw; 0 keeps the panel's own.
    """

    table: str
    row: str
    dataset: str
    treatment: str
    fits: tuple[Fit, ...]
    assignment: Literal["logistic", "random", "simulated"] = "logistic"
    variant: Variant = "baseline"
    n_treated: int = 10
    n_post: int = 10
    recipe: Literal["trop", "sdid"] = "trop"
    resampled: int = 0


STAGES = (
    ("did", "sc", "sc_intercept", "sdid_squared", "sdid"),
    ("trop_published", "mc_untuned"),
    ("trop_masked",),
    ("mc",),
)
"""Forms from the cheapest, a millisecond, to the dearest, a tenth of a second."""


def staged(rows: tuple[Design, ...]) -> tuple[Design, ...]:
    """Split rows by the cost of their columns, so that cheap ones need not wait.

    Each part replays the draws of its row from the first on.
    """
    return tuple(
        replace(design, fits=fits)
        for design in rows
        for forms in STAGES
        if (fits := tuple(fit for fit in design.fits if fit.form in forms))
    )


def cost(part: Design) -> int:
    """Tell how dear a part is: the number of its stage."""
    return max(k for k, forms in enumerate(STAGES) for fit in part.fits if fit.form in forms)


def designs() -> tuple[Design, ...]:
    """Read every row that is replicated, in the order of the document."""
    table = pd.read_csv(PUBLISHED / "designs.csv", keep_default_na=False)
    table["nn"] = table["nn"].astype(float)
    groups = table.groupby(["table", "row"], sort=False)
    return tuple(_design(group) for _, group in groups)


def _design(lines: pd.DataFrame) -> Design:
    line = lines.iloc[0]
    assignment, treatment = _assignment(str(line["treatment"]))
    return Design(
        table=str(line["table"]),
        row=str(line["row"]),
        dataset=str(line["dataset"]),
        treatment=treatment,
        fits=_fits(lines),
        assignment=assignment,
        variant=line["variant"],
        n_treated=int(line["n_treated"]),
        n_post=int(line["n_post"]),
        recipe="sdid" if line["table"] == TABLE_OF_SDID else "trop",
        resampled=int(line["resampled"]),
    )


def _fits(lines: pd.DataFrame) -> tuple[Fit, ...]:
    """Columns of a row: the restrictions of TROP, the five of SDID's tables, or the usual six."""
    line = lines.iloc[0]
    triples: list[Triple] = [
        (float(unit), float(time), float(nn))
        for unit, time, nn in zip(lines["unit"], lines["time"], lines["nn"], strict=True)
    ]
    if line["table"] == TABLE_OF_RESTRICTIONS:
        pairs = zip(lines["column"], triples, strict=True)
        return tuple(Fit(str(name), "trop_published", triple) for name, triple in pairs)
    if line["table"] == TABLE_OF_SDID:
        return _five(FEW, FEWEST) if line["resampled"] else _five(1000, FEWER)
    n_slow = 1000 if line["table"] in FULL else SOME
    six = (
        Fit("TROP", "trop_published", triples[0], n_slow),
        Fit("SDID", "sdid_squared"),
        Fit("SC", "sc"),
        Fit("DID", "did"),
        Fit("MC", "mc_untuned", (0.0, 0.0, triples[0][2]), n_slow),
        Fit("DIFP", "sc_intercept"),
    )
    beside = (Fit("TROP as defined", "trop_masked", triples[0]), Fit("SDID as defined", "sdid"))
    tuned = (Fit("MC as defined", "mc", n_draws=FEW),) if line["table"] == KEYNOTE else ()
    return six + (beside if line["table"] in FULL else ()) + tuned


def _five(n_draws: int, n_slow: int) -> tuple[Fit, ...]:
    forms = {"SDID": "sdid", "SC": "sc", "DID": "did", "MC": "mc", "DIFP": "sc_intercept"}
    return tuple(
        Fit(column, form, n_draws=n_slow if form == "mc" else n_draws)
        for column, form in forms.items()
    )


def _assignment(treatment: str) -> tuple[Literal["logistic", "random", "simulated"], str]:
    if treatment == "random":
        return "random", ""
    if treatment == "simulated":
        return "simulated", ""
    return "logistic", treatment

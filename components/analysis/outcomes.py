"""Which other columns of a table could have been the outcome."""

from __future__ import annotations

from components.data import Roles, Table
from components.data.covariates import SAMPLE_ROWS, classify_covariates
from components.data.guess import NEVER_OUTCOME
from components.data.sketch import Column
from components.data.treatment_guess import START, TREATED


def other_outcomes(table: Table, roles: Roles) -> tuple[str, ...]:
    """List the columns that could be outcomes too.

    Parameters
    ----------
    table : Table
    roles : Roles
        The outcome, the other columns with a role, and the covariates are not listed.

    Returns
    -------
    tuple of str
        Columns of numbers with more than two values that vary over periods within units and
        between units within periods, in the order of the table; not those whose names say that
        they are weights, standard errors, true effects or treatment. Empty where the table is laid
        out in another way than one row per unit and period.
    """
    if roles.shape is not None or roles.unit is None or roles.time is None:
        return ()
    head = table.text.head(SAMPLE_ROWS)
    found = []
    for name, kind in classify_covariates(table, roles).items():
        if kind != "varying" or name in roles.covariates:
            continue
        column = Column(name, head[name])
        named_otherwise = (
            NEVER_OUTCOME.search(column.key) or START.search(column.key) or column.key in TREATED
        )
        if not named_otherwise and len(column.words) > 2:
            found.append(name)
    return tuple(found)

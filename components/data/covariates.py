"""What the other columns of numbers are: fixed in time, common to all units, or varying."""

from __future__ import annotations

from typing import Literal

from components.data.roles import Roles
from components.data.sketch import Column
from components.data.table import Table
from components.data.treatment_guess import varies

Covariate = Literal["fixed", "common", "varying"]
SAMPLE_ROWS = 100_000
MEANINGS: dict[Covariate, str] = {
    "fixed": "fixed in time",
    "common": "common to all units",
    "varying": "varies over units and time",
}


def classify_covariates(table: Table, roles: Roles) -> dict[str, Covariate]:
    """Classify the columns of numbers that have no role yet.

    Parameters
    ----------
    table : Table
        One row per unit and period; the first ``SAMPLE_ROWS`` rows are looked at.
    roles : Roles
        With the columns of unit and time.

    Returns
    -------
    dict of str to {"fixed", "common", "varying"}
        In the order of the table. Fixed columns take one value in each unit, common ones one value
        in each period. Columns of text, and those with a single value, are left out.
    """
    head = table.text.head(SAMPLE_ROWS)
    taken = (roles.unit, roles.time, roles.outcome, roles.treatment, roles.post)
    columns = {name: Column(name, head[name]) for name in table.columns}
    unit, time = (columns.get(str(role)) for role in (roles.unit, roles.time))
    found: dict[str, Covariate] = {}
    for name, column in columns.items():
        if name in taken or not column.is_number or len(column.words) < 2:
            continue
        if not varies(column, unit):
            found[name] = "fixed"
        elif not varies(column, time):
            found[name] = "common"
        else:
            found[name] = "varying"
    return found

"""Ways to say who is treated when."""

from __future__ import annotations

import numpy as np

from .cases import (
    START,
    UNITS,
    YEARS,
    Case,
    W,
    asks,
    csv,
    exact,
    refuses,
    rows,
    said,
    truth,
    untreated,
)

PAIRS = {
    "1.0 and 0.0": ("0.0", "1.0"),
    "true and false": ("false", "true"),
    "TRUE and FALSE": ("FALSE", "TRUE"),
    "yes and no": ("no", "yes"),
    "Y and N": ("N", "Y"),
    "treated and control": ("control", "treated"),
    "on and off": ("off", "on"),
    "exposed and unexposed": ("unexposed", "exposed"),
}
GROUP = (np.array(UNITS) == "Birch")[:, None] & np.ones(len(YEARS), dtype=bool)


def starts(never: str, first: str = str(START), name: str = "first_treated") -> bytes:
    table = rows(head=("tree", "year", "height", name))
    for row in table[1:]:
        row[3] = first if row[0] == "Birch" else never
    return csv(table)


def two_flags(group: str, post: str) -> bytes:
    table = rows(head=("tree", "year", "height", group))
    body = [
        [*row[:3], str(int(row[0] == "Birch")), str(int(int(row[1]) >= START))] for row in table[1:]
    ]
    return csv([[*table[0], post], *body])


def worded(on: str, off: str) -> bytes:
    return csv(rows(flag=lambda treated: on if treated else off))


DEGREES = {"1": "fully", "0": "not at all"}
SWITCHED = W & (np.array(YEARS) < 2006)
TREATMENTS: dict[str, Case] = {
    **{name: exact(worded(on, off)) for name, (off, on) in PAIRS.items()},
    "no column": said(csv([row[:3] for row in rows()]), "No column says treatment", untreated()),
    "words: law and none": asks(
        worded("law in force", "none yet"), "treated_values", ("law in force",), treatment="treated"
    ),
    "words: two that say treated": asks(
        csv(
            [
                row if i == 0 else [*row[:3], "partly" if i == 10 else DEGREES[row[3]]]
                for i, row in enumerate(rows())
            ]
        ),
        "treated_values",
        ("partly", "fully"),
        treatment="treated",
    ),
    "codes 2 and 1": asks(worded("2", "1"), "treated_values", ("2",), treatment="treated"),
    **{
        f"first treated, never is {never!r}": exact(starts(never))
        for never in ("0", "", "NA", "Inf", "9999", "never", "inf", "NaN", "-1", ".")
    },
    "first treated, called gvar": exact(starts("0", name="gvar")),
    "first treated, beyond the last year": said(starts("2050"), "3 starts after the last period"),
    "first treated, with decimals": said(
        starts("", f"{START}.0"), "1 unit with a start, 3 never treated"
    ),
    "group and post": said(two_flags("treat", "post"), "Treated where both 'treat' and 'post'"),
    "group and after": said(two_flags("group", "after"), "Treated where both 'group' and 'after'"),
    "a group without a date": exact(
        csv([rows()[0], *[[*row[:3], str(int(row[0] == "Birch"))] for row in rows()[1:]]]),
        truth(w=GROUP),
    ),
    "treatment that ends": exact(
        csv([rows()[0], *[[*row[:3], row[3] if row[1] != "2006" else "0"] for row in rows()[1:]]]),
        truth(w=SWITCHED),
    ),
    "an empty cell of treatment": refuses(
        csv([row if i != 7 else [*row[:3], ""] for i, row in enumerate(rows())]),
        "1 row without a treatment .* line 8",
    ),
    "many values": refuses(
        csv([rows()[0], *[[*row[:3], f"{i}.5"] for i, row in enumerate(rows()[1:])]]),
        "does not say treated",
        outcome="height",
        treatment="treated",
    ),
    "two starts of one unit": refuses(
        starts("0").replace(b"Birch,2005,21.25,2004", b"Birch,2005,21.25,2005"),
        "two first treated periods",
        treatment="first_treated",
        treatment_kind="start",
    ),
    "a start of another kind": refuses(
        starts("0", "2004Q1"),
        "is not written like",
        treatment="first_treated",
        treatment_kind="start",
    ),
}

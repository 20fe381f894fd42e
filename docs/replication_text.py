"""The text of docs/replication.md, from the stored results."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from components.simulation.replication import SEED, read
from components.simulation.replication_designs import designs
from components.simulation.replication_extra import SWITCH_SEED, studies
from components.simulation.replication_verdicts import (
    AGREES,
    DIFFERS,
    EXTRA,
    NEAR,
    PUBLISHED,
    comparison,
)

MARKS = {AGREES: "", NEAR: " ~", DIFFERS: " **differs**"}
TABLES = {
    "1, raw": (
        "TROP paper, table 1: the nine rows of the authors' program",
        "Raw root mean squared errors as stored with that program; table 1 prints them divided by "
        "each row's smallest. The compare page shows these nine rows. MC of the last row, at a "
        "penalty of .003, is 5 % below the printed one on the same draws: ours is the optimum to "
        "1e-10 in the effect, and the published solver presumably stopped early.",
    ),
    "1, other panels": (
        "TROP paper, table 1: Germany, Basque Country, Proposition 99",
        "Printed divided by the row's smallest, and so are ours.",
    ),
    "2 top": (
        "TROP paper, table 2, top: ten treated units, ten periods",
        "MC of the Basque row is 10 % below the printed one on the same draws, at a penalty of "
        ".006: as in the last row of the table above, the published solver presumably stopped "
        "early.",
    ),
    "2 bottom": (
        "TROP paper, table 2, bottom: one treated unit, one period",
        "In the Basque row every column is off by some per cent, though within the errors: its "
        "draws were others.",
    ),
    "A1 A": ("TROP paper, table A1 A: ten treated units, one period", ""),
    "A1 B": ("TROP paper, table A1 B: one treated unit, ten periods", ""),
    "3": ("TROP paper, table 3: parts of the model left out", ""),
    "5 A": (
        "TROP paper, table 5 A: parts of the estimator left out",
        "Root mean squared error relative to TROP; penalties as stored with the authors' program, "
        "tuned anew for each restriction.",
    ),
    "6": (
        "TROP paper, table 6: where the weight lies",
        "Shares of weight, not squared. The printed ones come from panels with one treated unit "
        "and ten treated periods: so drawn, Germany gives every digit stored with the program.",
    ),
    "SDID 2 and 3": (
        "SDID paper, tables 2 and 3: placebo studies",
        "Estimators as defined, random numbers of our own. MC chooses its penalty by "
        "cross-validation among 20 in every panel, on fewer panels. Rows of 200 and 400 units are "
        "replicated with treatment at random: with the minimum-wage rule the bias of DID alone, "
        ".021, is above the printed error of 400 units.",
    ),
    "MC, Proposition 99": (
        "Matrix-completion paper: hidden cells of Proposition 99 without California",
        "Average over runs of the root mean squared error of hidden cells, in packs. The paper has "
        "10 runs. DID and SC compare each treated unit with never-treated ones, as its code does.",
    ),
    "on and off": (
        "Treatment that switches on and off",
        "Root mean squared error of a treated cell; panels like CPS log wage, no effect, penalties "
        "by hand. The numbers beside ours are those of an independent program.",
    ),
}
INTRODUCTION = """# Published tables, and ours

Written by `make tables` from `components/simulation/published/`: `designs.csv` and `printed.csv`
hold the rows and the printed numbers, `results.csv` and `extra.csv` what was simulated. Panels are
read from the folder in `PANELSCOPE_DATA`; rows that are stored are not simulated again.

Sources: Athey, Imbens, Qu and Viviano (2025), arXiv 2508.21536v2, and the settings and outputs
stored with its authors' code; Arkhangelsky et al. (2021), AER 111(12); Athey et al. (2021), JASA
116(536). Outcomes are in standard units, nobody is treated in truth, and the error is the root mean
squared estimate of the average effect.

**Draws.** The TROP tables are replayed: numpy's legacy stream, seed {seed}, panel, then coins, then
choice, with units in the order of the published files and the logistic regression stopped where
theirs stopped. All others have streams of their own, keyed by the row's name and seed {seed}; the
switching study has seed {switch}.

**Forms.** Columns in print are not always the estimators of their names:

{forms}

**Reading the tables.** Each cell is: in print / ours (Monte Carlo standard error of ours). No mark:
it agrees, within 1e-5 for SC, DID, DIFP and SDID on replayed draws, 5e-4 of the value for low-rank
fits, 4 % where their penalty is below 0.1 (the published solver stops early there), each plus half
a unit of the last printed digit. ~: within three Monte Carlo errors of both. **differs**: neither.

"""
FORMS = (
    ("column", "in the TROP tables", "as defined"),
    (
        "TROP",
        "squared weights, one common effect fitted to treated cells inside the objective",
        "treated cells masked; here at the same weights as the printed column",
    ),
    ("SDID", "SDID's weights, squared", "SDID's weights"),
    (
        "MC",
        "TROP's penalty, no tuning, treated cells fitted with a common effect",
        "penalty by cross-validation, treated cells masked",
    ),
    ("SC, DID, DIFP", "as defined; DIFP is synthetic control with an intercept", "the same"),
)
NOT_RUN = (
    ("what", "why"),
    ("Boatlift rows of tables 1, 2, 3, 5, 6 and A1", "the micro-data are not at hand"),
    (
        'Rows "treated unit" of table 1',
        "their code was not found, and the text does not say which periods they use",
    ),
    ("Tables 4, 5 B, A2 and A3", "not attempted"),
    (
        "Elastic net columns of the matrix-completion paper",
        "they are glmnet's lasso with its own folds; the one here is tuned among the donors",
    ),
    ("Stock returns in the matrix-completion paper", "the returns could not be had"),
)


def document() -> str:
    """Write the document.

    Returns
    -------
    str
        Markdown.
    """
    found = comparison()
    stored = pd.concat([read(), read(EXTRA)], ignore_index=True)
    words = {"seed": SEED, "switch": SWITCH_SEED, "forms": _grid(FORMS)}
    parts = [INTRODUCTION.format(**words), _summary(found)]
    for name, (title, text) in TABLES.items():
        part = found[found["table"] == name]
        if len(part):
            lines = [f"\n## {title}\n"] + ([text + "\n"] if text else [])
            parts.append("\n".join([*lines, _table(part), _draws(part), _beside(stored, name)]))
    parts += [_reasons(found), "\n## Not replicated\n", _grid(NOT_RUN) + "\n"]
    return "\n".join(part for part in parts if part)


def _grid(rows: Iterable[Iterable[object]]) -> str:
    """Write a table; its first row is the head."""
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * (lines[0].count("|") - 1) + "|", *lines[1:]])


def _summary(found: pd.DataFrame) -> str:
    printed = {(row.table, row.row) for row in (*designs(), *studies(designs()))}
    lines: list[list[object]] = [["table", "rows", "numbers", *MARKS]]
    for name, (title, _) in TABLES.items():
        part = found[found["table"] == name]
        rows = sum(table == name for table, _ in printed)
        lines.append([title, f"{part['row'].nunique()} of {rows}", *_counts(part)])
    return _grid([*lines, ["all", "", *_counts(found)]])


def _counts(part: pd.DataFrame) -> list[int]:
    return [len(part), *(int((part["verdict"] == verdict).sum()) for verdict in MARKS)]


def _table(part: pd.DataFrame) -> str:
    columns = list(dict.fromkeys(part["column"]))
    lines = [["row", *columns]]
    for row, line in part.groupby("row", sort=False):
        cells = line.set_index("column")
        lines.append([row, *(_cell(cells.loc[c]) if c in cells.index else "" for c in columns)])
    return _grid(lines)


def _cell(cell: pd.Series) -> str:
    digits = int(min(cell["digits"], 6))
    more = min(digits + 1, 6)
    texts = f"{cell['printed']:.{digits}f} / {cell['ours']:.{more}f} ({cell['mc_error']:.{more}f})"
    return texts + MARKS[cell["verdict"]]


def _draws(part: pd.DataFrame) -> str:
    counts = part.groupby("column", sort=False)["n_draws"].agg(["min", "max"]).astype(int)
    texts = [
        f"{name} {low:,}" if low == high else f"{name} {low:,} to {high:,}"
        for name, low, high in counts.itertuples()
    ]
    same = len({*counts["min"], *counts["max"]}) == 1
    return f"\nDraws: {counts['min'].iloc[0]:,}." if same else f"\nDraws: {', '.join(texts)}."


def _beside(stored: pd.DataFrame, name: str) -> str:
    """Give the estimators as defined, where the table has them beside the published forms."""
    part = stored[(stored["table"] == name) & stored["column"].str.endswith(" as defined")]
    if part.empty:
        return ""
    columns = list(dict.fromkeys(part["column"]))
    lines = [["row", *columns]]
    for row, line in part.groupby("row", sort=False):
        cells = line.set_index("column")
        pairs = cells[["value", "mc_error"]].reindex(columns).itertuples(index=False)
        lines.append([row, *("" if pd.isna(a) else f"{a:.6f} ({b:.6f})" for a, b in pairs)])
    head = "\nAs defined, on the same draws: root mean squared error (Monte Carlo error).\n\n"
    return head + _grid(lines)


def _reasons(found: pd.DataFrame) -> str:
    reasons = pd.read_csv(PUBLISHED / "reasons.csv", keep_default_na=False, dtype=str)
    lines: list[list[object]] = [["table", "row", "column", "in print", "ours (error)", "why"]]
    for _, cell in found[found["verdict"] == DIFFERS].iterrows():
        here = reasons[
            (reasons["table"] == cell["table"])
            & reasons["row"].isin(("", cell["row"]))
            & reasons["column"].isin(("", cell["column"]))
        ]
        why = here["reason"].iloc[0] if len(here) else "not found"
        ours = f"{cell['ours']:.5f} ({cell['mc_error']:.5f})"
        lines.append([*cell[["table", "row", "column"]], f"{cell['printed']:g}", ours, why])
    return "\n## What does not agree, and why\n\n" + _grid(lines)

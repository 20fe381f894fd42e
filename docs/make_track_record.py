"""Simulate how often each warning flags sound and spoiled panels; write docs/track_record.md.

After a change of some warnings, ``--only trends honest`` looks at those alone, in the same panels,
and keeps the other lines of the table.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from zlib import crc32

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np
import pandas as pd

from components.diagnostics import DIAGNOSTICS
from components.diagnostics.track_record import PLANTED, STORED
from components.estimators import ESTIMATORS, Estimate
from components.inference import METHODS, silent
from components.panel import Panel

PARTIAL = STORED.with_suffix(".partial.csv")
SEED = 7
EFFECT = 5.0
MIXED = 5  # donors that the treated unit is a weighted average of
CHUNK = 20
# Setup: estimator, inference, treated units, draws.
SETUPS = {
    "sc": ("sc", "placebo_in_space", 1, 240),
    "sdid": ("sdid", "placebo_variance", 1, 240),
    "did, 8 treated": ("did", "event_study", 8, 100),
}
NOT_ASKED = {"multiplicity", "missingness", "balance"}  # need several outcomes, gaps, covariates


def draw(rng: np.random.Generator, n_treated: int) -> Panel:
    """Draw a sound panel: levels, common shocks, two factors, noise with correlation 0.3.

    Returns
    -------
    Panel
        20 to 40 units, 20 to 30 periods, a third of them treated; noise has sd 1. A single treated
        unit is a weighted average of donors, save for its noise.
    """
    n, t = int(rng.integers(20, 41)), int(rng.integers(20, 31))
    if n_treated > 1:
        n += n_treated
    level, loading = rng.normal(0.0, 3.0, n), rng.normal(0.0, 1.0, (n, 2))
    mix = np.zeros(n)
    mix[rng.choice(np.arange(n_treated, n), MIXED, replace=False)] = rng.dirichlet(
        np.full(MIXED, 2.0)
    )
    if n_treated == 1:
        level[0], loading[0] = mix @ level, mix @ loading
    else:
        loading[:] = 0.0  # parallel trends hold
    common = rng.normal(0.0, 1.0, t).cumsum()
    factors = rng.normal(0.0, 0.5, (2, t)).cumsum(axis=1)
    noise = rng.normal(0.0, 1.0, (n, t + 20))
    for column in range(1, t + 20):
        noise[:, column] = 0.3 * noise[:, column - 1] + np.sqrt(0.91) * noise[:, column]
    Y = 50.0 + level[:, None] + common + loading @ factors + noise[:, 20:]
    W = np.zeros((n, t), dtype=np.bool_)
    W[:n_treated, t - t // 3 :] = True
    units = pd.Index([f"unit {row:02d}" for row in range(n)])
    return Panel(Y + EFFECT * W, W, units, pd.RangeIndex(t), "y")


def spoil(panel: Panel, heaviest: int, world: str, rng: np.random.Generator) -> Panel:
    """Plant what ``PLANTED`` says."""
    Y, treated, n_pre = panel.Y.copy(), panel.design.treated, panel.design.n_pre
    if world == "contaminated donor":
        Y[heaviest, n_pre:] += 8.0
    elif world == "anticipation":
        Y[treated, n_pre - 3 : n_pre] += 6.0
    elif world == "outside the hull":
        own = Y[treated].mean(axis=1, keepdims=True)
        Y[treated] += Y[~treated].mean(axis=1).max() + 6.0 - own
    elif world == "diverging trend":
        Y[treated] += (1.0 if treated.sum() == 1 else 0.15) * np.arange(panel.shape[1])
    elif world == "typo":
        row = int(rng.choice(np.flatnonzero(treated)))
        Y[row, int(rng.integers(panel.shape[1]))] *= 10.0
    elif world == "noisier treated unit":
        Y[treated] += np.sqrt(8.0) * rng.normal(0.0, 1.0, (int(treated.sum()), panel.shape[1]))
    return panel.with_outcomes(Y)


def verdicts(
    setup: str, world: str, number: int, only: Collection[str] = tuple(DIAGNOSTICS)
) -> list[tuple[str, str, int, str, str]]:
    """Draw one panel, estimate, and let diagnostics look; the stream is the draw's own."""
    estimator, inference, n_treated, _ = SETUPS[setup]
    rng = np.random.default_rng([SEED, crc32(setup.encode()), number])
    panel = draw(rng, n_treated)
    sound = ESTIMATORS[estimator]().fit(panel)
    weights = sound.unit_weights
    heaviest = n_treated if weights is None else panel.units.get_loc(weights.idxmax())
    estimate: Estimate = ESTIMATORS[estimator]().fit(spoil(panel, heaviest, world, rng))
    uncertainty = METHODS[inference]().assess(estimate, level=0.95, rng=rng, progress=silent)
    rows = []
    for key in only:
        diagnostic = DIAGNOSTICS[key]()
        if key in NOT_ASKED or diagnostic.why_not(estimate) is not None:
            continue
        finding = diagnostic.examine(estimate, uncertainty, silent)
        rows.append((setup, world, number, key, finding.verdict))
    return rows


def simulate(
    say: Callable[[str], object], factor: float = 1.0, only: Collection[str] = tuple(DIAGNOSTICS)
) -> pd.DataFrame:
    """Simulate all panels, going on where an earlier run has stopped."""
    columns = ["setup", "world", "draw", "key", "verdict"]
    done = pd.read_csv(PARTIAL) if PARTIAL.exists() else pd.DataFrame(columns=columns)
    finished = set(zip(done["setup"], done["world"], done["draw"], strict=True))
    begun = time.process_time()
    for setup, (_, _, n_treated, draws) in SETUPS.items():
        worlds = PLANTED if n_treated == 1 else ("healthy", "diverging trend")
        for world in worlds:
            for first in range(0, int(draws * factor), CHUNK):
                rows = []
                for number in range(first, min(first + CHUNK, int(draws * factor))):
                    if (setup, world, number) not in finished:
                        rows += verdicts(setup, world, number, only)
                new = pd.DataFrame(rows, columns=columns)
                new.to_csv(PARTIAL, mode="a", header=not PARTIAL.exists(), index=False)
            say(f"{setup}: {world}, {time.process_time() - begun:.0f} s")
    return pd.read_csv(PARTIAL)


def shares(verdict: pd.DataFrame) -> pd.DataFrame:
    """Take the share of flagged panels (bad or caution), with its Monte Carlo standard error."""
    flagged = verdict.assign(flagged=verdict["verdict"].isin(["bad", "caution"]))
    table = (
        flagged.groupby(["setup", "world", "key"], sort=False)["flagged"]
        .agg(["mean", "count"])
        .reset_index()
        .rename(columns={"mean": "flagged", "count": "draws"})
    )
    table["mc_error"] = np.sqrt(table["flagged"] * (1.0 - table["flagged"]) / table["draws"])
    return table.round({"flagged": 4, "mc_error": 4})


def merged(kept: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Put new lines in the place of kept ones; those that were not there yet come last."""
    lines = ["setup", "world", "key"]
    old, found = kept.set_index(lines), new.set_index(lines)
    table = pd.concat([old[~old.index.isin(found.index)], found])
    order = [*old.index, *(line for line in found.index if line not in old.index)]
    return table.loc[order].reset_index()


INTRODUCTION = """# Track record of the warnings

How often does each warning of the page *Can I trust it?* flag a panel that is spoiled, and how
often one that is sound? Written by `make track-record` (`docs/make_track_record.py`, seed {seed});
the figures are in `components/diagnostics/track_record.csv` and in the help of each badge.

**Panels.** 20 to 40 units, 20 to 30 periods, the last third treated, a true effect of {effect:g}.
Levels have sd 3 between units; a random walk common to all; two factors that are random walks with
steps of sd 0.5 and loadings of sd 1; noise of sd 1 with correlation 0.3 from period to period. One
treated unit is a weighted average of {mixed} donors plus noise of its own. With 8 treated units
there are no factors, so that trends are parallel.

**Flagged** means a badge of caution or bad. Shares in percent, Monte Carlo standard error in
brackets. A warning that looks for what was planted stands in bold. Two of them depend on the
method: a level out of reach is no fault for synthetic DID, which takes levels off, and a noisier
treated unit is none for placebo in space with the scaled gap, which measures each unit by its own
fit; so *Reach of the donors* stays silent there, and so does *Noise of the treated*. *Honest
bounds* asks how far trends would have to differ, not whether they do: it flags a panel where the
conclusion would break under steps no larger than one before treatment that is more than noise, and
says that it cannot tell where all of them are noise.

| what was planted | size |
|---|---|
"""


def main() -> None:
    """Simulate, and write the table and the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(DIAGNOSTICS), choices=list(DIAGNOSTICS))
    only = parser.parse_args().only
    table = shares(simulate(lambda line: sys.stderr.write(f"{line}\n"), only=only))
    if len(only) < len(DIAGNOSTICS):
        table = merged(pd.read_csv(STORED), table)
    table.to_csv(STORED, index=False, lineterminator="\n")
    text = INTRODUCTION.format(seed=SEED, effect=EFFECT, mixed=MIXED)
    text += "".join(f"| {world} | {size} |\n" for world, (size, _) in PLANTED.items())
    for setup, (estimator, _, n_treated, _) in SETUPS.items():
        part = table[table["setup"] == setup]
        draws = int(part["draws"].max())
        units = "1 treated unit" if n_treated == 1 else f"{n_treated} treated units"
        title = ESTIMATORS[estimator].card.title
        text += f"\n## {title}, {units}, {draws} panels of each kind\n\n" + grid(part)
    (ROOT / "docs" / "track_record.md").write_text(text, encoding="utf-8")
    PARTIAL.unlink()


def grid(part: pd.DataFrame) -> str:
    """Lay the shares out, one row for each warning and one column for each world."""
    worlds = list(dict.fromkeys(part["world"]))
    lines = ["| warning | " + " | ".join(worlds) + " |", "|---|" + "---|" * len(worlds)]
    for key in dict.fromkeys(part["key"]):
        cells = []
        for world in worlds:
            here = part[(part["key"] == key) & (part["world"] == world)]
            if not len(here):
                cells.append("")
                continue
            row = here.iloc[0]
            cell = f"{100 * row['flagged']:.0f} ({100 * row['mc_error']:.1f})"
            cells.append(f"**{cell}**" if PLANTED[world][1] == key else cell)
        lines.append(f"| {DIAGNOSTICS[key].card.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

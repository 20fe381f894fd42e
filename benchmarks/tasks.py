"""What is measured on which panels, what counts as the same answer, and what is to be reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Agreement:
    """When two answers are the same.

    Attributes
    ----------
    key : str
        Of the answer.
    tolerance : float
    of : {"value", "sd"}
        Relative to the value itself, or to the standard deviation of the outcome.
    why : str
        Reason for the tolerance.
    """

    key: str
    tolerance: float
    of: Literal["value", "sd"] = "value"
    why: str = ""

    def __str__(self) -> str:
        scale = "of the outcome's standard deviation" if self.of == "sd" else "relative"
        return f"`{self.key}` within {self.tolerance:g} {scale}" + (
            f" ({self.why})" if self.why else ""
        )


@dataclass(frozen=True)
class Target:
    """A figure to reach.

    Attributes
    ----------
    panel : str
    ratio : float
        CPU seconds of the peer over ours.
    peers : tuple of str
        The ratio is to be reached against each of them.
    """

    panel: str
    ratio: float
    peers: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """Something that several packages do.

    Attributes
    ----------
    key : str
        In TASKS of the adapters.
    title : str
    start : {"table", "matrix"}
        What the peers start from, and what ours starts from where ratios are formed.
    panels : tuple of str
    peers : tuple of str
        Those to run, beside ours.
    agreements : tuple of Agreement
    targets : tuple of Target
    small : tuple of str
        Peers beside the targets, run on Proposition 99 only.
    lowest : str
        Answer of which ours must not be above anyone's by more than 1e-9 relative.
    note : str
    """

    key: str
    title: str
    start: Literal["table", "matrix"]
    panels: tuple[str, ...]
    peers: tuple[str, ...]
    agreements: tuple[Agreement, ...]
    targets: tuple[Target, ...] = ()
    small: tuple[str, ...] = ()
    lowest: str = ""
    note: str = ""

    def peers_on(self, panel: str) -> tuple[str, ...]:
        """Peers to run on a panel."""
        return self.peers + (self.small if panel == "prop99" else ())


@dataclass(frozen=True)
class Limit:
    """CPU seconds that one of our own tasks may take."""

    key: str
    title: str
    panel: str
    seconds: float
    check: str


STOPPED = Agreement("att_stopped", 1e-6)
DRAWS = "different random draws, 200 of each"

TASKS = (
    Task(
        "sc_fit",
        "Synthetic control, outcome only",
        "table",
        ("prop99", "s1000one"),
        ("diff_diff", "mlsynth", "pysyncon"),
        (Agreement("objective", 1e-6), Agreement("att", 1e-4, "sd")),
        (
            Target("prop99", 5.0, ("diff_diff", "mlsynth", "pysyncon")),
            Target("s1000one", 5.0, ("diff_diff", "mlsynth", "pysyncon")),
        ),
        small=("scpi", "causaltensor"),
        lowest="objective",
        note="`objective` is the mean squared gap before treatment. pysyncon: the solver inside, "
        "as its public fit rescales the periods.",
    ),
    Task(
        "sc_placebo",
        "Synthetic control, placebo in space with every donor",
        "table",
        ("prop99", "s200one"),
        ("mlsynth", "diff_diff"),
        (Agreement("p_value", 1e-12), Agreement("p_value_pool", 1e-12)),
        (
            Target("prop99", 20.0, ("mlsynth", "diff_diff")),
            Target("s200one", 20.0, ("mlsynth", "diff_diff")),
        ),
        note="The fit, all placebos and the p-value of the RMSPE ratio. diff-diff has the treated "
        "unit among the donors of a placebo: its p-value is `p_value_pool`, and ours of that kind "
        "is computed outside the timing.",
    ),
    Task(
        "sdid_fit",
        "Synthetic DID, the estimate alone",
        "matrix",
        ("prop99", "s200", "s1000"),
        ("diff_diff",),
        (Agreement("att", 2e-4, "sd", "a conic solver at its default accuracy"), STOPPED),
        (
            Target("prop99", 1.0, ("diff_diff",)),
            Target("s200", 2.0, ("diff_diff",)),
            Target("s1000", 4.0, ("diff_diff",)),
        ),
        small=("mlsynth", "causaltensor", "azcausal"),
        lowest="objective",
        note="diff-diff: its Rust kernels alone, from matrices; ours from the panel. `objective` "
        "is that of the unit weights. `att_stopped` is the estimate of solvers that stop early, as "
        "synthdid's does: those of diff-diff and azcausal, and of our switch that does the same, "
        "run outside the timing. causaltensor has another noise level.",
    ),
    Task(
        "sdid_placebo",
        "Synthetic DID, placebo standard error, 200 draws",
        "table",
        ("prop99", "s200", "s1000"),
        ("diff_diff",),
        (Agreement("att", 1e-6), STOPPED, Agreement("se", 0.3, why=DRAWS)),
        tuple(Target(panel, 15.0, ("diff_diff",)) for panel in ("prop99", "s200", "s1000")),
        small=("mlsynth",),
        note="Fit and 200 placebo refits. With one treated unit the app enumerates the donors "
        "instead; here it draws 200 groups like the others.",
    ),
    Task(
        "sdid_bootstrap",
        "Synthetic DID, bootstrap standard error, 200 draws",
        "table",
        ("s50m", "s200"),
        ("diff_diff",),
        (Agreement("att", 1e-6), STOPPED, Agreement("se", 0.3, why=DRAWS)),
        tuple(Target(panel, 15.0, ("diff_diff",)) for panel in ("s50m", "s200")),
        note="Fit and 200 refits on samples of units.",
    ),
    Task(
        "mc_cv",
        "Matrix completion with cross-validated penalty",
        "table",
        ("prop99", "s200"),
        ("mlsynth",),
        (Agreement("att", 0.02, "sd", "different folds and grids"),),
        tuple(Target(panel, 15.0, ("mlsynth",)) for panel in ("prop99", "s200")),
        note="40 penalties, 5 folds in both.",
    ),
    Task(
        "prediction_intervals",
        "Synthetic control, prediction intervals, 200 draws",
        "table",
        ("prop99",),
        ("scpi", "mlsynth"),
        (Agreement("mean_length", 0.1, why="different random draws, and 200 of each are few"),),
        (Target("prop99", 5.0, ("scpi",)),),
        note="The fit and a 90 % interval for each treated period, 5 % for each of both parts; "
        "`mean_length` is the average over the periods.",
    ),
    Task(
        "trop_loocv",
        "TROP, leave-one-cell-out score at an infinite nuclear-norm penalty",
        "matrix",
        ("prop99", "s50"),
        ("diff_diff",),
        (Agreement("score", 1e-7),),
        (Target("prop99", 1000.0, ("diff_diff",)), Target("s50", 1000.0, ("diff_diff",))),
        note="lambda_unit = lambda_time = 0.1, all untreated cells.",
    ),
    Task(
        "trop_block",
        "TROP, one fit of the whole block, no low-rank part",
        "matrix",
        ("prop99",),
        ("trop",),
        (Agreement("att", 1e-4, "sd", "a conic solver at its default accuracy"),),
    ),
    Task(
        "trop_block_nn",
        "TROP, one fit of the whole block, nuclear-norm penalty 10",
        "matrix",
        ("prop99",),
        ("trop",),
        (Agreement("att", 1e-3, "sd", "a conic solver at its default accuracy"),),
    ),
    Task(
        "twfe",
        "Two-way fixed effects with errors clustered by unit",
        "table",
        ("prop99", "s1000", "s5000"),
        ("pyfixest", "diff_diff"),
        (
            Agreement("att", 1e-8),
            Agreement("se", 0.02, why="diff-diff corrects for small samples by another factor"),
        ),
        (
            Target("prop99", 5.0, ("pyfixest", "diff_diff")),
            Target("s1000", 5.0, ("pyfixest", "diff_diff")),
        ),
    ),
)

LIMITS = (
    Limit(
        "trop_tuning_block",
        "TROP on Proposition 99 with its whole tuning, placebo-block",
        "prop99",
        10.0,
        "trop_unhurried_block",
    ),
    Limit(
        "trop_tuning_cells",
        "TROP on Proposition 99 with its whole tuning, leave-one-cell-out",
        "prop99",
        30.0,
        "trop_unhurried_cells",
    ),
)

# Seconds of R programs that do not run here, from another machine, with those of a peer there.
STORED = {("mc_cv", "prop99"): (0.758, 5.17), ("mc_cv", "s200"): (23.5, 35.4)}
STORED_RATIO = 3.0

READING = (
    "reading the table costs about 0.5 ms of fixed work in pandas, more than everything after it"
)
# Read only where a target is not reached.
REASONS: dict[tuple[str, str], str] = {
    ("sc_fit", "prop99"): READING,
    ("sc_placebo", "prop99"): (
        "the refits take about half of it, the tables of placebos and ranks that the result "
        "carries two fifths, and reading the table a tenth"
    ),
    ("twfe", "prop99"): READING,
}

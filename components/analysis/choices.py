"""The choices that an analyst could have made otherwise, one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from components.arrays import Bools, Floats, Ints
from components.estimators.covariates import lacks_covariates, without_covariates
from components.numerics.simplex_many import simplex_fits
from components.panel import Panel

ALL = "all"
NEAREST = {"nearest half": 0.5, "nearest quarter": 0.25}
FEWEST_DONORS = 3
HEAVIEST = "without the heaviest"
GROUPS = ("without the lowest quarter", "without the second quarter",
          "without the third quarter", "without the highest quarter")  # fmt: skip
STARTS = {ALL: 0.0, "last two thirds": 1 / 3, "last half": 0.5}
ENDS = {"up to treatment": 0.0, "stops early": 0.1}
FEWEST_PERIODS = 3
LEVELS, LOGS, INDEX, STANDARD = "levels", "logs", "index", "standardised"
WITHOUT, WITH = "without", "with"


@dataclass(frozen=True)
class Choice:
    """One way to set the analysis up.

    Attributes
    ----------
    estimator : str
        Its key.
    donors : str
        Which donors are used.
    start, end : str
        Which part of the time before treatment is used.
    transform : str
        In which scale the outcome is fitted.
    covariates : {"without", "with"}
        Whether what covariates explain is taken off first.
    """

    estimator: str
    donors: str = ALL
    start: str = ALL
    end: str = "up to treatment"
    transform: str = LEVELS
    covariates: str = WITHOUT


def donor_rules(n_donors: int) -> tuple[str, ...]:
    """Name the rules that leave enough donors."""
    rules = [ALL]
    rules += [rule for rule, share in NEAREST.items() if share * n_donors >= FEWEST_DONORS]
    if n_donors > FEWEST_DONORS:
        rules.append(HEAVIEST)
    if n_donors >= 2 * len(GROUPS):
        rules += GROUPS
    return tuple(rules)


def donors_of(rule: str, before: Floats, targets: Floats, others: Bools, heaviest: Floats) -> Bools:
    """Choose the donors of every target.

    Parameters
    ----------
    rule : str
    before : Floats, shape (J, T0)
        Never-treated units before treatment.
    targets : Floats, shape (B, T0)
    others : Bools, shape (B, J)
        Units that are not part of the target, as many in every row.
    heaviest : Floats, shape (B, J)
        Weights of synthetic control with all donors.

    Returns
    -------
    Bools, shape (B, J)
        As many in every row.
    """
    each = np.arange(len(targets))[:, None]
    n = int(others[0].sum())
    if rule == ALL:
        return others
    allowed = others.copy()
    if rule == HEAVIEST:
        allowed[each[:, 0], np.where(others, heaviest, -1.0).argmax(axis=1)] = False
        return allowed
    if rule in NEAREST:
        distance = np.square(targets[:, None, :] - before[None]).sum(axis=2)
        order = np.argsort(np.where(others, distance, np.inf), axis=1, kind="stable")
        count = int(np.ceil(NEAREST[rule] * n))
        chosen = np.zeros(others.shape, dtype=np.bool_)
        chosen[each, order[:, :count]] = True
        return chosen
    level = np.where(others, before.mean(axis=1), np.inf)
    order = np.argsort(level, axis=1, kind="stable")[:, :n]
    allowed[each, np.array_split(order, len(GROUPS), axis=1)[GROUPS.index(rule)]] = False
    return allowed


def sc_weights(before: Floats, targets: Floats, others: Bools) -> Floats:
    """Give the weights of synthetic control with all donors, shape (B, J)."""
    barred = np.argsort(others, axis=1, kind="stable")[:, : int((~others[0]).sum())]
    return simplex_fits(before.T, targets, barred)


def windows(n_pre: int, n_periods: int) -> dict[tuple[str, str], Bools]:
    """Give the periods of every window that keeps at least three before treatment.

    Parameters
    ----------
    n_pre : int
        Periods before treatment.
    n_periods : int
        All periods; those from treatment on are always kept.

    Returns
    -------
    dict
        Start and end to a mask of length T; no two alike.
    """
    found: dict[tuple[str, str], Bools] = {}
    seen = set()
    for start, skip in STARTS.items():
        for end, cut in ENDS.items():
            first = round(skip * n_pre)
            last = n_pre - (max(1, round(cut * n_pre)) if cut else 0)
            kept = (first, last)
            usual = start == ALL and not cut
            if kept in seen or (last - first < FEWEST_PERIODS and not usual):
                continue
            seen.add(kept)
            mask = np.arange(n_periods) >= n_pre
            mask[first:last] = True
            found[start, end] = mask
    return found


@dataclass(frozen=True, eq=False)
class Scale:
    """An outcome in another scale: ``z = (f(y) - shift) / size``, with f the logarithm or none.

    Attributes
    ----------
    logs : bool
    shift, size : Floats, shape (N, 1)
        Of each unit.
    """

    logs: bool
    shift: Floats
    size: Floats

    @classmethod
    def of(cls, name: str, Y: Floats, n_pre: int) -> Scale:
        """Take shift and size of each unit from its mean and spread before treatment."""
        zero, one = np.zeros((len(Y), 1)), np.ones((len(Y), 1))
        if name not in (INDEX, STANDARD):
            return cls(name == LOGS, zero, one)
        mean = Y[:, :n_pre].mean(axis=1, keepdims=True)
        if name == INDEX:
            return cls(False, zero, mean)
        return cls(False, mean, Y[:, :n_pre].std(axis=1, keepdims=True))

    def forth(self, Y: Floats) -> Floats:
        """Outcomes in the scale, shape (N, T)."""
        values: Floats = ((np.log(Y) if self.logs else Y) - self.shift) / self.size
        return values

    def back(self, Z: Floats, rows: Ints | Bools) -> Floats:
        """Put paths of some units, shape (..., T), back into the units of the outcome."""
        values = Z * self.size[rows] + self.shift[rows]
        return np.exp(values) if self.logs else values


def transforms(Y: Floats, n_pre: int, *, in_logs: bool) -> tuple[str, ...]:
    """Name the scales that the outcomes allow.

    Parameters
    ----------
    Y : Floats, shape (N, T)
    n_pre : int
        Fewest periods before treatment that any window keeps.
    in_logs : bool
        The outcome is a logarithm already.

    Returns
    -------
    tuple of str
    """
    names = [LEVELS]
    known = Y[np.isfinite(Y)]
    if not in_logs and bool((known > 0.0).all()):
        names += [LOGS, INDEX] if n_pre else [LOGS]
    complete = bool(np.isfinite(Y).all())
    if complete and n_pre >= FEWEST_PERIODS and bool((Y[:, :n_pre].std(axis=1) > 0.0).all()):
        names.append(STANDARD)
    return tuple(names)


def net_of_covariates(panel: Panel) -> Panel | None:
    """Take off what the panel's covariates explain, or None where they do not allow it."""
    names = tuple(panel.X)
    if not names or lacks_covariates(panel, names) is not None or panel.design.n_controls < 2:
        return None
    if not panel.observed.all():
        return None
    explained, _ = without_covariates(panel, names)
    return replace(panel, Y=panel.Y - explained, X={})

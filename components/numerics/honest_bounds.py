r"""Honest bounds on an event study: what the effect can be if trends were not parallel.

Coefficients :math:`\hat\beta = (\hat\beta_{pre}, \hat\beta_{post})` come with covariance
:math:`\Sigma`; event time -1 is the base with coefficient zero and is not among them. With
:math:`\beta = \delta + (0, \tau)`, the difference in trends :math:`\delta` is bounded by a set
:math:`\Delta`, and a confidence set for :math:`\theta = l'\tau` has to hold for every
:math:`\delta \in \Delta` (Rambachan and Roth 2023, REStud 90(5), 2555-2591).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_ndtr, ndtr, ndtri, ndtri_exp

from components.arrays import Floats

WIDEST = 1e4  # standard errors; a set that reaches further is said to have no end
NEGLIGIBLE = 1e-9
DRAWS = 2000
FIRST_STAGE = 0.1  # share of the false alarms that the least favourable test may spend
STEPS = 60


@dataclass(frozen=True, eq=False)
class Coefficients:
    """An event study relative to one base period.

    Attributes
    ----------
    beta : Floats, shape (n_pre + n_post,)
        Coefficients in the order of event time, the base left out.
    sigma : Floats, shape (n_pre + n_post, n_pre + n_post)
        Their covariance.
    n_pre : int
        How many of them lie before the base.
    target : Floats, shape (n_post,)
        Weights l of the effects after treatment.
    """

    beta: Floats
    sigma: Floats
    n_pre: int
    target: Floats

    @property
    def n_post(self) -> int:
        """Number of coefficients after treatment."""
        return len(self.target)

    @property
    def point(self) -> float:
        """Estimate of the target if trends were parallel."""
        return float(self.target @ self.beta[self.n_pre :])

    @property
    def error(self) -> float:
        """Standard error of the target."""
        post = self.sigma[self.n_pre :, self.n_pre :]
        return float(np.sqrt(self.target @ post @ self.target))

    def parallel(self, level: float) -> tuple[float, float]:
        """Give the usual interval, which takes trends to be parallel."""
        half = float(ndtri(0.5 + level / 2)) * self.error
        return self.point - half, self.point + half


def smoothness_interval(study: Coefficients, M: float, level: float) -> tuple[float, float]:
    r"""Find the shortest fixed-length interval if the slope changes by at most M a period.

    :math:`\Delta^{SD}(M) = \{\delta: |\delta_{t+1}-2\delta_t+\delta_{t-1}| \le M\}` (eq. 7). Among
    affine estimators :math:`a'\hat\beta`, :math:`a_{post}=l`, the half-length is
    :math:`s\,cv_\alpha(b/s)` with standard deviation s and worst-case bias b (section 4.1); it is
    convex in :math:`a_{pre}`, and b is the sum of absolute weights on second differences.

    Parameters
    ----------
    study : Coefficients
        At least one coefficient before treatment.
    M : float
        Largest change of slope, in units of the outcome per period; 0 is a linear trend.
    level : float

    Returns
    -------
    lower, upper : float
    """
    n, m = study.n_pre, study.n_post
    basis = np.linalg.inv(_second_differences(n, m)).T  # weights on slope and second differences
    scale = study.error
    start = np.linalg.lstsq(study.sigma[:n, :n], -study.sigma[:n, n:] @ study.target, rcond=None)[0]
    trend = basis[0, :n]
    start = start - trend * (trend @ start + basis[0, n:] @ study.target) / (trend @ trend)

    def parts(free: Floats) -> tuple[Floats, float]:
        a = np.r_[free, study.target]
        return a, float(np.sqrt(a @ study.sigma @ a)) / scale

    def half_length(z: Floats) -> tuple[float, Floats]:
        a, s = parts(z[:n])
        t = M * z[n:].sum() / (scale * s)
        x, slope = _folded(t, level)
        by_s = (study.sigma @ a)[:n] / (scale**2 * s)
        return s * x, np.r_[(x - t * slope) * by_s, np.full(n + m - 1, slope * M / scale)]

    def weights(free: Floats) -> Floats:
        return np.asarray(basis[1:] @ np.r_[free, study.target])

    wide = np.hstack([basis[1:, :n], np.zeros((n + m - 1, n + m - 1))])
    unit = np.hstack([np.zeros((n + m - 1, n)), np.eye(n + m - 1)])
    offset = basis[1:, n:] @ study.target
    constraints = [
        {
            "type": "eq",
            "fun": lambda z: trend @ z[:n] + basis[0, n:] @ study.target,
            "jac": lambda _: np.r_[trend, np.zeros(n + m - 1)],
        },
        *(
            {
                "type": "ineq",
                "fun": lambda z, sign=sign: (unit + sign * wide) @ z + sign * offset,
                "jac": lambda _, sign=sign: unit + sign * wide,
            }
            for sign in (1.0, -1.0)
        ),
    ]
    found = minimize(
        half_length,
        np.r_[start, np.abs(weights(start))],
        jac=True,
        method="SLSQP",
        constraints=constraints,
        options={"maxiter": 500, "ftol": 1e-12},
    )
    free = found.x[:n]
    free = free - trend * (trend @ free + basis[0, n:] @ study.target) / (trend @ trend)
    a, s = parts(free)
    half = scale * s * _folded(M * np.abs(weights(free)).sum() / (scale * s), level)[0]
    centre = float(a @ study.beta)
    return centre - half, centre + half


def relative_interval(
    study: Coefficients, M: float, level: float, precision: float = 1e-3
) -> tuple[float, float]:
    r"""Bound the target if trends differ after treatment at most M times as much as before.

    :math:`\Delta^{RM}(\bar M)`: each step :math:`|\delta_{t+1}-\delta_t|` after treatment is at
    most :math:`\bar M` times the largest one before (eq. 8). The set joins those of each step
    before treatment and each sign being the largest one; each inverts the hybrid of conditional
    and least favourable test of Andrews, Roth and Pakes (2023).

    Parameters
    ----------
    study : Coefficients
        At least one coefficient before treatment.
    M : float
        Zero or more.
    level : float
    precision : float
        How exactly the ends are found, in standard errors.

    Returns
    -------
    lower, upper : float
        Ends of the set around the estimate; infinite where they lie further away than ten thousand
        standard errors.
    """
    parts = relative_parts(study, M, level)
    ends = []
    for side in (-1.0, 1.0):
        inside, step = 0.0, 0.5
        while inside + step < WIDEST and accepts(
            study, parts, study.point + side * (inside + step) * study.error, level
        ):
            inside, step = inside + step, 2 * step
        if inside + step >= WIDEST:
            ends.append(side * np.inf)
            continue
        outside = inside + step
        while outside - inside > precision:
            middle = (inside + outside) / 2
            if accepts(study, parts, study.point + side * middle * study.error, level):
                inside = middle
            else:
                outside = middle
        ends.append(study.point + side * inside * study.error)
    return ends[0], ends[1]


@dataclass(frozen=True, eq=False)
class RelativePart:
    """Trends for which one step before treatment, with one sign, is the largest.

    Attributes
    ----------
    weights : Floats, shape (K, n_pre + n_post)
        Vertices of the dual of the test's linear programme, as weights of the coefficients.
    by_target : Floats, shape (K,)
        What one unit of the target takes off each of them.
    covariance : Floats, shape (K, K)
    critical : float
        Least favourable value that the largest of them passes in a tenth of all false alarms.
    """

    weights: Floats
    by_target: Floats
    covariance: Floats
    critical: float


def relative_parts(study: Coefficients, M: float, level: float) -> list[RelativePart]:
    r"""Split :math:`\Delta^{RM}(\bar M)` into its parts, the largest step first.

    With steps :math:`s_t` of the trend after treatment and :math:`v` the largest one before, the
    target is known up to :math:`\sum_t L_t s_t`, :math:`L_t = \sum_{k \ge t} l_k`, where
    :math:`|s_t| \le \bar M v`. The smallest studentised violation

    .. math:: \hat\eta = \max\Big\{\frac{\pm(l'\hat\beta_{post} - \theta)
              - \bar M \hat v \sum|L_t|}{\sum|L_t|\sigma_t^\pm},\;
              \frac{-2 \bar M \hat v}{\sigma_t^+ + \sigma_t^-}\Big\}

    is the largest of n_post + 2 linear functions, so that no linear programme has to be solved.

    Parameters
    ----------
    study : Coefficients
    M : float
    level : float

    Returns
    -------
    list of RelativePart
    """
    n, m = study.n_pre, study.n_post
    steps = np.zeros((n + m, n + m + 1))
    steps[np.arange(n + m), np.arange(n + m)] = -1.0
    steps[np.arange(n + m), np.arange(n + m) + 1] = 1.0
    steps = np.delete(steps, n, axis=1)  # the base, which is zero
    lever = np.cumsum(study.target[::-1])[::-1]
    target = np.r_[np.zeros(n), study.target]
    draws = np.random.default_rng(0).standard_normal((DRAWS, n + m)) @ _root(study.sigma).T
    size = steps[:n] @ study.beta
    found = []
    for step in np.argsort(-np.abs(size), kind="stable"):
        for sign in (1.0, -1.0) if size[step] >= 0.0 else (-1.0, 1.0):
            most = M * sign * steps[step]
            above, below = (
                np.sqrt(np.einsum("ij,jk,ik->i", rows, study.sigma, rows))
                for rows in (steps[n:] - most, -steps[n:] - most)
            )
            plus = np.abs(lever) @ np.where(lever > 0.0, above, below)
            minus = np.abs(lever) @ np.where(lever > 0.0, below, above)
            spent = np.abs(lever).sum() * most
            weights = np.vstack(
                [
                    (target - spent) / plus,
                    (-target - spent) / minus,
                    -2.0 * most / (above + below)[:, None],
                ]
            )
            by_target = np.r_[1.0 / plus, -1.0 / minus, np.zeros(m)]
            largest = (draws @ weights.T).max(axis=1)
            critical = float(np.quantile(largest, 1.0 - FIRST_STAGE * (1.0 - level)))
            covariance = weights @ study.sigma @ weights.T
            found.append(RelativePart(weights, by_target, covariance, critical))
    return found


def accepts(study: Coefficients, parts: list[RelativePart], theta: float, level: float) -> bool:
    """Tell whether a value of the target is in the set: in that of any of its parts.

    Parameters
    ----------
    study : Coefficients
    parts : list of RelativePart
        For the same study and level.
    theta : float
    level : float

    Returns
    -------
    bool
    """
    return any(
        not _rejects(part, part.weights @ study.beta - part.by_target * theta, 1.0 - level)
        for part in parts
    )


def _rejects(part: RelativePart, values: Floats, alpha: float) -> bool:
    """Reject where the largest value is too large for where it is the largest."""
    best = int(values.argmax())
    eta, variance = float(values[best]), float(part.covariance[best, best])
    if eta <= 0.0:
        return False
    if eta > part.critical:
        return True
    lean = part.covariance[:, best] / variance
    rest, slack = values - lean * eta, 1.0 - lean
    down, up = slack > NEGLIGIBLE, slack < -NEGLIGIBLE
    low = float((rest[down] / slack[down]).max(initial=-np.inf))
    high = float((rest[up] / slack[up]).min(initial=np.inf))
    high = min(high, part.critical)
    size = (1.0 - FIRST_STAGE) * alpha / (1.0 - FIRST_STAGE * alpha)
    s = float(np.sqrt(variance))
    tail = np.logaddexp(np.log(size) + log_ndtr(-low / s), np.log1p(-size) + log_ndtr(-high / s))
    return bool(eta > max(0.0, -float(ndtri_exp(tail)) * s))


def breakdown(study: Coefficients, level: float, *, relative: bool, most: float) -> float:
    """Find the largest bound M at which zero is still outside the set.

    Parameters
    ----------
    study : Coefficients
    level : float
    relative : bool
        Relative magnitudes; otherwise smoothness.
    most : float
        Where to stop looking.

    Returns
    -------
    float
        NaN where even parallel trends leave zero inside; ``most`` where it is beyond.
    """

    def excludes(M: float) -> bool:
        if relative:
            return not accepts(study, relative_parts(study, M, level), 0.0, level)
        lower, upper = smoothness_interval(study, M, level)
        return lower > 0.0 or upper < 0.0

    lower, upper = study.parallel(level)
    if lower <= 0.0 <= upper:
        return float("nan")
    if excludes(most):
        return most
    inside, outside = 0.0, most
    while outside - inside > 2e-3 * most:
        middle = (inside + outside) / 2
        if excludes(middle):
            inside = middle
        else:
            outside = middle
    return inside


def _root(sigma: Floats) -> Floats:
    """Give a square root of a covariance matrix that may be singular."""
    values, vectors = np.linalg.eigh(sigma)
    root: Floats = vectors * np.sqrt(np.clip(values, 0.0, None))
    return root


def _second_differences(n: int, m: int) -> Floats:
    """Slope before the base, then the changes of slope, as rows over the n + m coefficients."""
    full = np.zeros((n + m, n + m + 1))
    full[0, n - 1 : n + 1] = [-1.0, 1.0]
    for row in range(1, n + m):
        full[row, row - 1 : row + 2] = [1.0, -2.0, 1.0]
    return np.delete(full, n, axis=1)


def _folded(t: float, level: float) -> tuple[float, float]:
    """Give the level-quantile of the size of N(t, 1), and its derivative in t >= 0."""
    low, high = t + float(ndtri(level)), t + float(ndtri(0.5 + level / 2))
    for _ in range(STEPS):
        x = (low + high) / 2
        if ndtr(x - t) - ndtr(-x - t) < level:
            low = x
        else:
            high = x
    near, far = np.exp(-0.5 * (x - t) ** 2), np.exp(-0.5 * (x + t) ** 2)
    return x, float((near - far) / (near + far))

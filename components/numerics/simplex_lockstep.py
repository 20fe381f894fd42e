r"""Many small simplex problems on the same donors, solved in lock-step.

.. math:: \min_{w \in \Delta,\ c} \sum_i m_i (x_i'w + c - y_i)^2 + \rho |w|^2

Every problem has its own target y, row multiplicities m, ridge :math:`\rho` and barred donors;
the matrix X is shared. All problems take the steps of an active-set method together: one batch of
small linear systems, one product for all gradients. Placebo fits of synthetic control differ in
target and barred donors; the time weights of synthetic DID under a bootstrap differ in the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from components.arrays import Bools, Floats, Ints

ENTER = 1e-12
SETTLED = 1e-10
TIED = 1e-9
PERFECT = 1e-9
RIDGE_DECIDES = 10.0
FIRM = 1e-9
ROUNDING = 4.0 * float(np.finfo(np.float64).eps)
DUST = 16.0 * float(np.finfo(np.float64).eps)
JITTER = 1e-14
MAX_STEPS = 1000
MAX_REPEATS = 3
CHUNK = 256
SLOTS = 6
TINY = 1e-280


@dataclass(frozen=True)
class SimplexBatch:
    """Problems that share their donors.

    Attributes
    ----------
    X : Floats, shape (R, J)
        One row per observation, one column per donor.
    targets : Floats, shape (B, R)
        The y of each problem.
    ridge : Floats, shape (B,)
        In the units of the squared data.
    mass : Floats, shape (B, R), optional
        How often each row counts; 1 by default.
    barred : Ints, shape (B, n), optional
        Donors that a problem may not use.
    intercept : bool
        Whether the constant c is free.
    """

    X: Floats
    targets: Floats
    ridge: Floats
    mass: Floats | None = None
    barred: Ints | None = None
    intercept: bool = False

    def solve(self, start: Floats | None = None) -> tuple[Floats, Bools]:
        """Solve every problem.

        Parameters
        ----------
        start : Floats, shape (B, J), optional
            Weights on the simplex that may be at the optimum already.

        Returns
        -------
        weights : Floats, shape (B, J)
            Weights on the simplex.
        sure : Bools, shape (B,)
            Whether they are optimal up to rounding error, and the only optimal ones. The other
            problems should be solved one by one.
        """
        batch = self.centred()
        gram = batch.X.T @ batch.X if batch.mass is None else None
        starts = range(0, len(self.targets), CHUNK)
        parts = []
        for at in starts:
            chunk = slice(at, at + CHUNK)
            begin = None if start is None else start[chunk]
            parts.append(_LockStep(batch.only(chunk), gram, begin).run())
        return np.concatenate([w for w, _ in parts]), np.concatenate([ok for _, ok in parts])

    def only(self, rows: Bools | slice) -> SimplexBatch:
        """Keep some of the problems."""
        return replace(
            self,
            targets=self.targets[rows],
            ridge=self.ridge[rows],
            mass=None if self.mass is None else self.mass[rows],
            barred=None if self.barred is None else self.barred[rows],
        )

    def centred(self) -> SimplexBatch:
        """Take off what all donors share, and measure the data in units of what is left."""
        shared = self.X.mean(axis=1)
        X, targets = self.X - shared[:, None], self.targets - shared
        if self.intercept and self.mass is None:
            X, targets = X - X.mean(axis=0), targets - targets.mean(axis=1, keepdims=True)
        size = float(np.abs(X).max())
        if size <= DUST * float(np.sqrt(len(X))) * float(np.abs(self.X).max()):
            X, size = np.zeros(X.shape), 1.0
        return replace(
            self,
            X=X / size,
            targets=targets / size,
            ridge=self.ridge / size**2,
            intercept=self.intercept and self.mass is not None,
        )

    def gradient(self, weights: Floats) -> tuple[Floats, Floats]:
        """Half the gradient, shape (B, J), and the length of the residual, shape (B,).

        The gradient of barred donors is infinite.
        """
        gaps: Floats = weights @ self.X.T - self.targets
        weighted = gaps
        if self.mass is not None:
            if self.intercept:
                means = np.einsum("br,br->b", gaps, self.mass) / self.mass.sum(axis=1)
                gaps -= means[:, None]
            weighted = gaps * self.mass
        ridge = self.ridge[:, None] * weights
        length = np.einsum("br,br->b", weighted, gaps) + np.einsum("bj,bj->b", ridge, weights)
        half: Floats = weighted @ self.X + ridge
        if self.barred is not None:
            np.put_along_axis(half, self.barred, np.inf, axis=1)
        return half, np.sqrt(length)

    def curvature(self, slots: Ints) -> Floats:
        """Half the Hessian of weighted rows over some donors, shape (B, K, K), without ridge."""
        assert self.mass is not None
        columns = self.X.T[slots]
        weighted = columns * self.mass[:, None, :]
        hessian: Floats = weighted @ columns.transpose(0, 2, 1)
        if self.intercept:
            sums = weighted.sum(axis=2)
            means = sums / self.mass.sum(axis=1)[:, None]
            hessian -= sums[:, :, None] * means[:, None, :]
        return hessian


def _support(weights: Floats) -> tuple[Ints, Floats]:
    """Positive weights in slots, and which donors they belong to."""
    width = int(np.count_nonzero(weights, axis=1).max()) + 1
    slots = np.argsort(-weights, axis=1)[:, :width]
    values = np.take_along_axis(weights, slots, axis=1)
    return np.where(values > 0.0, slots, -1), values


class _LockStep:
    """The open problems of a batch, each with its support in slots (-1 where one is empty)."""

    def __init__(self, batch: SimplexBatch, gram: Floats | None, start: Floats | None) -> None:
        n_problems, n_donors = len(batch.targets), batch.X.shape[1]
        squares = np.square(batch.X)
        self.batch = batch
        self.gram = gram
        sizes = np.sqrt(squares.sum(axis=0)[None] if batch.mass is None else batch.mass @ squares)
        self.sizes = np.broadcast_to(sizes, (n_problems, n_donors))
        self.largest = self.sizes.max(axis=1)
        self.rows = np.arange(n_problems)
        self.slots, self.values = self._closest() if start is None else _support(start)
        self.full = np.ones(n_problems, dtype=np.bool_)
        self.repeats = np.zeros(n_problems, dtype=np.int64)
        self.weights = np.zeros((n_problems, n_donors))
        self.sure = np.zeros(n_problems, dtype=np.bool_)

    def run(self) -> tuple[Floats, Bools]:
        for _ in range(MAX_STEPS):
            w = self._dense()
            half, residual = self.batch.gradient(w)
            here = np.einsum("bk,bk->b", self._in_slots(half), self.values)
            best = half.argmin(axis=1)
            gain = here - half[np.arange(len(best)), best]
            noise = ROUNDING * (self.largest + residual) ** 2
            settled = gain <= ENTER * self.largest * residual + noise
            done = self.full & (settled | (self.repeats > MAX_REPEATS))
            if done.any():
                self.weights[self.rows[done]] = w[done]
                self.sure[self.rows[done]] = self._are_sure(
                    done, w[done], here[done, None] - half[done], residual[done]
                )
                if done.all():
                    break
                self._keep(~done)
                half, best = half[~done], best[~done]
            self._enter(best)
            try:
                self._step(half)
            except np.linalg.LinAlgError:
                break
        return self.weights, self.sure

    def _closest(self) -> tuple[Ints, Floats]:
        """Start from the single donor that fits each problem best."""
        slope, _ = self.batch.gradient(np.zeros(self.sizes.shape))
        slots = np.full((len(slope), SLOTS), -1)
        slots[:, 0] = (np.square(self.sizes) + 2.0 * slope).argmin(axis=1)
        return slots, np.where(slots >= 0, 1.0, 0.0)

    def _dense(self) -> Floats:
        weights = np.zeros((len(self.rows), self.batch.X.shape[1]))
        problem, slot = np.nonzero(self.slots >= 0)
        weights[problem, self.slots[problem, slot]] = self.values[problem, slot]
        return weights

    def _in_slots(self, values: Floats) -> Floats:
        used = self.slots >= 0
        return np.where(used, np.take_along_axis(values, self.slots, axis=1), 0.0)

    def _keep(self, open_: Bools) -> None:
        self.batch = self.batch.only(open_)
        for name in ("sizes", "largest", "rows", "slots", "values", "full", "repeats"):
            setattr(self, name, getattr(self, name)[open_])

    def _are_sure(self, done: Bools, w: Floats, gains: Floats, residual: Floats) -> Bools:
        """Whether no donor improves the fit, and none that is idle fits as well."""
        sizes = self.sizes[done]
        level = np.einsum("bj,bj->b", sizes, w)[:, None]
        ways, residual = sizes + level, residual[:, None]
        noise = ROUNDING * (level + residual) * (ways + residual)
        optimal = (gains <= SETTLED * ways * residual + noise).all(axis=1)
        tied = ((gains >= -TIED * ways * residual) & (w == 0.0)).any(axis=1)
        ridge = self.batch.ridge[done] * np.einsum("bj,bj->b", w, w)
        gaps = np.sqrt(np.maximum(np.square(residual[:, 0]) - ridge, 0.0))
        alone = (gaps > np.maximum(PERFECT, RIDGE_DECIDES * np.sqrt(ridge))) & ~tied
        if self.gram is None:
            spectrum = np.linalg.eigvalsh(self._hessian()[done])
            alone &= spectrum[:, 0] > FIRM * spectrum[:, -1]
        return np.asarray(optimal & alone)

    def _enter(self, best: Ints) -> None:
        """Let the best donor enter wherever the support is at its own optimum."""
        inside = (self.slots == best[:, None]).any(axis=1)
        self.repeats += self.full & inside
        problems = np.flatnonzero(self.full & ~inside)
        if bool((self.slots[problems] >= 0).all(axis=1).any()):
            self.slots = np.pad(self.slots, ((0, 0), (0, SLOTS)), constant_values=-1)
            self.values = np.pad(self.values, ((0, 0), (0, SLOTS)))
        self.slots[problems, (self.slots[problems] < 0).argmax(axis=1)] = best[problems]

    def _hessian(self) -> Floats:
        """Half the Hessian over the slots; an empty slot has a row of its own.

        A constant is added, which changes nothing where weights sum to one.
        """
        used = self.slots >= 0
        slots = np.where(used, self.slots, 0)
        hessian = (
            self.batch.curvature(slots)
            if self.gram is None
            else self.gram[slots[:, :, None], slots[:, None, :]]
        )
        diagonal = np.einsum("bkk->bk", hessian)
        lift = np.maximum(diagonal.mean(axis=1)[:, None], TINY)
        diagonal += self.batch.ridge[:, None] + JITTER * lift
        hessian += lift[:, :, None]
        hessian *= used[:, :, None] & used[:, None, :]
        diagonal += np.where(used, 0.0, lift)
        return hessian

    def _step(self, half: Floats) -> None:
        """Go to the optimum over the support, or as far as all weights stay positive."""
        used = self.slots >= 0
        hessian = self._hessian()
        solved = np.linalg.solve(hessian, np.stack([-self._in_slots(half), used], axis=2))
        along, shift = solved[:, :, 0], solved[:, :, 1]
        along -= shift * (along.sum(axis=1) / shift.sum(axis=1))[:, None]
        falling = self.values + along < 0.0
        self.full = np.asarray(~falling.any(axis=1))
        ratio = np.full(along.shape, np.inf)
        np.divide(self.values, -along, out=ratio, where=falling)
        length = np.minimum(ratio.min(axis=1), 1.0)[:, None]
        leaving = falling & (ratio <= length)
        self.values = np.where(leaving, 0.0, np.maximum(self.values + length * along, 0.0))
        self.values /= self.values.sum(axis=1, keepdims=True)
        self.slots[leaving] = -1

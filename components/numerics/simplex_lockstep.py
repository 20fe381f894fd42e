"""Simplex problems on the same donors, solved in lock-step.

All problems of a batch take the steps of an active-set method together: one batch of small linear
systems, one product for all gradients.
"""

from __future__ import annotations

import numpy as np

from components.arrays import Bools, Floats, Ints
from components.numerics.simplex_faces import (
    face_hessians,
    face_ways,
    in_slots,
    of_slots,
    spread_out,
)
from components.numerics.simplex_pivoting import pivoted
from components.numerics.simplex_problems import SimplexProblems

ENTER = 1e-12
SETTLED = 1e-10
TIED = 1e-9
PERFECT = 1e-9
RIDGE_DECIDES = 10.0
FIRM = 1e-9
ROUNDING = 4.0 * float(np.finfo(np.float64).eps)
MAX_STEPS = 1000
MAX_REPEATS = 3
CHUNK = 256
GRAM_CELLS = 12_000_000
SLOTS = 6


class SimplexBatch(SimplexProblems):
    """Problems that share their donors, with their solver."""

    def solve(self, start: Floats | None = None, *, pivots: bool = False) -> tuple[Floats, Bools]:
        """Solve every problem.

        Parameters
        ----------
        start : Floats, shape (B, J), optional
            Weights on the simplex that may be at the optimum already.
        pivots : bool
            Whether to go from the start by block pivots first; no donor may be barred then.

        Returns
        -------
        weights : Floats, shape (B, J)
            Weights on the simplex.
        sure : Bools, shape (B,)
            Whether they are optimal up to rounding error, and the only optimal ones. The other
            problems should be solved one by one.
        """
        batch, (n_problems, n_donors) = self.centred(), (len(self.targets), self.X.shape[1])
        at_once = CHUNK
        if self.mass is not None:
            at_once = max(1, min(CHUNK, GRAM_CELLS // n_donors**2))
        weights, sure = np.zeros((n_problems, n_donors)), np.zeros(n_problems, dtype=np.bool_)
        for at in range(0, n_problems, at_once):
            chunk = slice(at, at + at_once)
            part, begin = batch.only(chunk), None if start is None else start[chunk]
            if begin is not None and pivots:
                begin = pivoted(part, begin)
            weights[chunk], sure[chunk] = _LockStep(part, begin).run()
        return weights, sure


class _LockStep:
    """The open problems of a batch, each with its support in slots (-1 where one is empty)."""

    def __init__(self, batch: SimplexProblems, start: Floats | None) -> None:
        n_problems, n_donors = len(batch.targets), batch.X.shape[1]
        squares = np.square(batch.X)
        self.batch = batch
        self.grams = batch.grams
        sizes = np.sqrt(squares.sum(axis=0)[None] if batch.mass is None else batch.mass @ squares)
        self.sizes = np.broadcast_to(sizes, (n_problems, n_donors))
        self.largest = self.sizes.max(axis=1)
        self.rows = np.arange(n_problems)
        if start is None:
            self.slots, self.values = self._closest()
        else:
            self.slots = in_slots(start > 0.0)
            self.values = of_slots(start, self.slots)
        self.full = np.ones(n_problems, dtype=np.bool_)
        self.repeats = np.zeros(n_problems, dtype=np.int64)
        self.weights = np.zeros((n_problems, n_donors))
        self.sure = np.zeros(n_problems, dtype=np.bool_)

    def run(self) -> tuple[Floats, Bools]:
        for _ in range(MAX_STEPS):
            w = spread_out(self.values, self.slots, self.weights.shape[1])
            half, residual = self.batch.gradient(w)
            here = np.einsum("bk,bk->b", of_slots(half, self.slots), self.values)
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
        if self.batch.mass is not None:
            spectrum = np.linalg.eigvalsh(self._hessians(done))
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

    def _hessians(self, some: Bools) -> Floats:
        ridge, rows, slots = self.batch.ridge[some], self.rows[some], self.slots[some]
        return face_hessians(self.grams, ridge, rows, slots)

    def _step(self, half: Floats) -> None:
        """Go to the optimum over the support, or as far as all weights stay positive."""
        hessian = face_hessians(self.grams, self.batch.ridge, self.rows, self.slots)
        along = face_ways(hessian, of_slots(half, self.slots), self.slots >= 0)
        falling = self.values + along < 0.0
        self.full = np.asarray(~falling.any(axis=1))
        ratio = np.full(along.shape, np.inf)
        np.divide(self.values, -along, out=ratio, where=falling)
        length = np.minimum(ratio.min(axis=1), 1.0)[:, None]
        leaving = falling & (ratio <= length)
        self.values = np.where(leaving, 0.0, np.maximum(self.values + length * along, 0.0))
        self.values /= self.values.sum(axis=1, keepdims=True)
        self.slots[leaving] = -1

"""Panels without an effect whose errors differ in size between units, periods, or both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.arrays import Floats, Ints
from components.errors import SpecError

KINDS: dict[str, tuple[float, float]] = {
    "none": (0.0, 0.0),
    "unit": (1.0, 0.0),
    "time": (0.0, 1.0),
    "two-way": (1.0, 1.0),
}
"""Spread of the logarithm of the variance over units and over periods, by kind."""


@dataclass(frozen=True)
class HeteroskedasticWorld:
    r"""Unit effects, period effects and independent normal errors of unequal size.

    .. math:: Y_{js}=\alpha_j+\beta_s+\sigma_{js}z_{js},\qquad
              \log\sigma_{js}^2=a_j+b_s-\tfrac12(s_u^2+s_t^2)

    with :math:`a_j\sim N(0,s_u^2)` and :math:`b_s\sim N(0,s_t^2)`, so that the variance is 1 on
    average. The cell that counts as treated is drawn at random.

    Parameters
    ----------
    n_units, n_periods : int
        Size of the panel.
    unit_spread, time_spread : float
        :math:`s_u` and :math:`s_t`.

    Raises
    ------
    SpecError
        Where the panel is too small or a spread is negative.
    """

    n_units: int = 50
    n_periods: int = 40
    unit_spread: float = 0.0
    time_spread: float = 0.0

    def __post_init__(self) -> None:
        if min(self.n_units, self.n_periods) < 3:
            raise SpecError(
                f"A panel of {self.n_units} units and {self.n_periods} periods has too few "
                "placebo cells.",
                hint="Take at least three of each.",
            )
        if min(self.unit_spread, self.time_spread) < 0.0:
            raise SpecError("A spread is negative.", hint="Take zero or more.")

    def draw(self, n_draws: int, rng: np.random.Generator) -> tuple[Floats, Floats, Ints, Ints]:
        """Draw panels.

        Unit and period effects are left at zero: the two-way fit takes them out exactly.

        Parameters
        ----------
        n_draws : int
            B.
        rng : numpy.random.Generator

        Returns
        -------
        Y : Floats, shape (B, N, T)
            Outcomes without any effect.
        variance : Floats, shape (B,)
            Error variance of the treated cell.
        rows, columns : Ints, shape (B,)
            The treated cell.
        """
        a = self.unit_spread * rng.standard_normal((n_draws, self.n_units, 1))
        b = self.time_spread * rng.standard_normal((n_draws, 1, self.n_periods))
        logs = a + b - (self.unit_spread**2 + self.time_spread**2) / 2.0
        Y = np.exp(logs / 2.0) * rng.standard_normal((n_draws, self.n_units, self.n_periods))
        rows = rng.integers(self.n_units, size=n_draws)
        columns = rng.integers(self.n_periods, size=n_draws)
        return Y, np.exp(logs[np.arange(n_draws), rows, columns]), rows, columns

r"""Synthetic control that prefers donors close to the treated unit (Abadie and L'Hour 2021).

.. math:: \min_{w \in \Delta} |x_1 - X_0 w|^2 + \lambda \sum_j w_j |x_1 - x_j|^2 \qquad
          \text{(eq. 5)}

With :math:`\lambda > 0` the weights are unique and sparse; as it grows they turn into matching on
the nearest donor.
"""

from __future__ import annotations

import numpy as np

from components.arrays import Floats
from components.numerics.simplex import SimplexFit, differences, simplex_fit
from components.numerics.simplex_active import active_set, improvements
from components.numerics.simplex_nnls import nearest_by_nnls

CONVERGED = 1e-9
PENALTIES = tuple(float(penalty) for penalty in np.geomspace(1e-4, 10.0, 16))


def penalized_fit(A: Floats, b: Floats, penalty: float) -> SimplexFit:
    r"""Fit weights on the simplex with a price on each donor's own distance.

    Parameters
    ----------
    A : Floats, shape (M, J)
        One column per donor.
    b : Floats, shape (M,)
        Target.
    penalty : float
        :math:`\lambda \ge 0`, without unit of measure.

    Returns
    -------
    SimplexFit
    """
    if penalty == 0.0 or A.shape[1] == 1:
        return simplex_fit(A, b)
    P, spread, _ = differences(A, b)
    if spread == 0.0:
        return simplex_fit(A, b)
    price = penalty * np.square(P).sum(axis=0)
    w = active_set(P, 0.0, nearest_by_nnls(P), price)
    converged = bool((improvements(P, 0.0, w, price) <= CONVERGED).all())
    return SimplexFit(w, converged, unique=True)


def choose_penalty(before: Floats, after: Floats) -> tuple[float, Floats]:
    r"""Choose :math:`\lambda` by predicting each donor after treatment from the others.

    Parameters
    ----------
    before : Floats, shape (J, T0)
        Donors before treatment.
    after : Floats, shape (J, T1)
        Donors from the first treated period on.

    Returns
    -------
    penalty : float
        The one with the smallest mean squared error (Abadie and L'Hour 2021, section 4).
    errors : Floats, shape (16,)
        That error for each entry of ``PENALTIES``.
    """
    errors = np.zeros(len(PENALTIES))
    for donor in range(len(before)):
        others = np.delete(before, donor, axis=0).T
        later = np.delete(after, donor, axis=0)
        for row, penalty in enumerate(PENALTIES):
            weights = penalized_fit(others, before[donor], penalty).weights
            errors[row] += np.square(after[donor] - weights @ later).mean() / len(before)
    return PENALTIES[int(errors.argmin())], errors

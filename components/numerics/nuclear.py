"""The nuclear norm: its proximal map, and the size of its dual."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from components.arrays import Floats, Ints

GRAM_FLOOR = 1e-4
"""Share of the largest singular value down to which the Gram matrix is accurate enough.

Squaring loses half of the digits: a singular value s comes out with an error of about
``eps * s_max**2 / s``, so above this floor the result is good to ``1e-12 * s_max``.
"""


def singular_value_decomposition(Z: Floats) -> tuple[Floats, Floats, Floats]:
    """Thin SVD that falls back to the slower driver where the fast one does not settle.

    Parameters
    ----------
    Z : Floats, shape (m, n)

    Returns
    -------
    U : Floats, shape (m, k)
    s : Floats, shape (k,)
        Largest first.
    Vt : Floats, shape (k, n)
    """
    try:
        U, s, Vt = np.linalg.svd(Z, full_matrices=False)
    except np.linalg.LinAlgError:
        U, s, Vt = scipy.linalg.svd(Z, full_matrices=False, lapack_driver="gesvd")
    return U, s, Vt


def soft_threshold_singular_values(Z: Floats, k: float) -> tuple[Floats, int, float]:
    r"""Shrink every singular value by k: :math:`U \max(S - k, 0) V'`.

    This is the proximal map of ``k`` times the nuclear norm (Cai, Candes and Shen 2010, theorem
    2.1). It goes through the Gram matrix of the short side, three to four times faster than an
    SVD, wherever ``k`` is large enough for that to keep 12 digits.

    Parameters
    ----------
    Z : Floats, shape (m, n)
        Finite.
    k : float
        Threshold, at least 0, in the unit of measure of Z.

    Returns
    -------
    L : Floats, shape (m, n)
    rank : int
        Number of singular values above k.
    nuclear_norm : float
        Sum of the singular values of L.
    """
    if Z.shape[0] < Z.shape[1]:
        L, rank, norm = soft_threshold_singular_values(Z.T, k)
        return L.T, rank, norm
    if k <= 0.0:
        singular = singular_value_decomposition(Z)[1]
        return Z.copy(), int((singular > 0).sum()), float(singular.sum())
    squares, V = np.linalg.eigh(Z.T @ Z)
    if k < GRAM_FLOOR * np.sqrt(max(squares[-1], 0.0)):
        return _through_svd(Z, k)
    keep = squares > k**2
    s, V = np.sqrt(squares[keep]), V[:, keep]
    return (Z @ V * (1.0 - k / s)) @ V.T, int(keep.sum()), float((s - k).sum())


def soft_threshold_stack(Z: Floats, k: Floats) -> tuple[Floats, Ints, Floats]:
    """Shrink the singular values of many matrices at once.

    Parameters
    ----------
    Z : Floats, shape (B, m, n)
    k : Floats, shape (B,)
        One positive threshold for each.

    Returns
    -------
    L : Floats, shape (B, m, n)
    rank : Ints, shape (B,)
    nuclear_norm : Floats, shape (B,)
    """
    if Z.shape[1] < Z.shape[2]:
        L, rank, norm = soft_threshold_stack(Z.swapaxes(1, 2), k)
        return L.swapaxes(1, 2), rank, norm
    squares, V = np.linalg.eigh(Z.swapaxes(1, 2) @ Z)
    s = np.sqrt(np.maximum(squares, 0.0))
    shrunk = np.maximum(s - k[:, None], 0.0)
    factor = np.divide(shrunk, s, out=np.zeros_like(s), where=s > 0)
    L = (Z @ V * factor[:, None, :]) @ V.swapaxes(1, 2)
    rank = (shrunk > 0).sum(axis=1).astype(np.int64)
    norm = shrunk.sum(axis=1)
    for b in np.flatnonzero(k < GRAM_FLOOR * s[:, -1]):
        L[b], rank[b], norm[b] = soft_threshold_singular_values(Z[b], float(k[b]))
    return L, rank, norm


def spectral_norms(Z: Floats) -> Floats:
    """Largest singular value of each matrix in a stack, the dual of the nuclear norm.

    Parameters
    ----------
    Z : Floats, shape (B, m, n)

    Returns
    -------
    Floats, shape (B,)
    """
    gram = Z @ Z.swapaxes(1, 2) if Z.shape[1] < Z.shape[2] else Z.swapaxes(1, 2) @ Z
    norms: Floats = np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[:, -1], 0.0))
    return norms


def _through_svd(Z: Floats, k: float) -> tuple[Floats, int, float]:
    U, s, Vt = singular_value_decomposition(Z)
    rank = int((s > k).sum())
    s = s[:rank] - k
    return (U[:, :rank] * s) @ Vt[:rank], rank, float(s.sum())

"""Stacks of weighted nuclear-norm regressions, joined so that they are solved side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from components.arrays import Bools, Floats
from components.numerics.trop_cells import FEW_CLASSES
from components.numerics.trop_factors import Stack
from components.numerics.trop_lines import Lines

TABLES = ("Y", "weights", "penalty", "X", "rows", "columns")


def joined(stacks: Sequence[Stack]) -> Stack:
    """Put the problems of several stacks of one shape into one.

    Parameters
    ----------
    stacks : sequence of Stack
        At least one; tables, covariates and probes of equal shape in all.

    Returns
    -------
    Stack
        Its problems in the order of the stacks; with classes of lines where all of them have them.
    """
    tables: dict[str, Any] = {
        name: np.concatenate([getattr(one, name) for one in stacks]) for name in TABLES
    }
    return Stack(
        **tables,
        units=_lines([one.units for one in stacks]),
        periods=_lines([one.periods for one in stacks]),
    )


def classed(stack: Stack, omega: Floats, theta: Floats, mask: Bools) -> Stack:
    """Tell a stack which of its lines share their mask, so that they are regressed together.

    Parameters
    ----------
    stack : Stack
        Of one problem, with weights ``omega[:, :, None] * theta[:, None, :] * mask``.
    omega : Floats, shape (1, N)
    theta : Floats, shape (1, T)
    mask : Bools, shape (N, T)

    Returns
    -------
    Stack
        As it is where the masks are too many for that to pay.
    """
    units, periods = _classes(mask, omega, theta), _classes(mask.T, theta, omega)
    return replace(stack, units=units, periods=periods)


def _classes(mask: Bools, along: Floats, across: Floats) -> Lines | None:
    masks, member = np.unique(mask, axis=0, return_inverse=True)
    if len(masks) > max(FEW_CLASSES, len(mask) // 8):
        return None
    return Lines(along, member.reshape(1, -1).astype(np.int64), (masks * across)[None])


def _lines(every: Sequence[Lines | None]) -> Lines | None:
    known = [one for one in every if one is not None]
    if len(known) < len(every):
        return None
    most = max(one.cross.shape[1] for one in known)
    return Lines(
        np.concatenate([one.scale for one in known]),
        np.concatenate([one.member for one in known]),
        np.concatenate([_padded(one.cross, most) for one in known]),
    )


def _padded(cross: Floats, most: int) -> Floats:
    """Repeat the first class, without members, up to a number of classes."""
    return np.concatenate([cross, np.repeat(cross[:, :1], most - cross.shape[1], axis=1)], axis=1)

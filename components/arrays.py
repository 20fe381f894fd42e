"""Names for the array types that pass between rooms, and how to freeze one."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def frozen(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return a read-only array with its own memory, so that no caller can change it."""
    copy = np.array(array, order="C")
    copy.flags.writeable = False
    return copy

"""Simulated panels for tests."""

from __future__ import annotations

import numpy as np
import pandas as pd

from components.panel import Panel


def block_panel(seed=0, n=12, t=15, n_treated=1, n_post=5, effect=2.0):
    """Simulate a rank-two factor panel with a block of treated cells at its end."""
    rng = np.random.default_rng(seed)
    level = rng.normal(10, 2, (n, 1)) + rng.normal(0, 1, (1, t)).cumsum(axis=1)
    factors = rng.normal(size=(n, 2)) @ rng.normal(size=(2, t)).cumsum(axis=1) * 0.3
    Y = level + factors + rng.normal(0, 0.3, (n, t))
    W = np.zeros((n, t), dtype=bool)
    W[:n_treated, t - n_post :] = True
    return Panel(
        Y=Y + effect * W,
        W=W,
        units=pd.Index([f"unit {i:02d}" for i in range(n)]),
        periods=pd.RangeIndex(2000, 2000 + t),
        outcome="y",
    )

"""How units and periods are written on screen, in links and in scripts."""

from __future__ import annotations

from typing import Any

import pandas as pd


def unit_label(unit: Any) -> str:
    """Write a unit's name as text.

    Parameters
    ----------
    unit : object
        An entry of ``Panel.units``.

    Returns
    -------
    str
    """
    return str(unit)


def period_label(period: Any) -> str:
    """Write a period as text: ``1989``, ``2016Q3``, ``2021-04-01``, ``2021-04-01 06:00``.

    Parameters
    ----------
    period : object
        An entry of ``Panel.periods``: an integer, a ``pandas.Timestamp`` or a ``pandas.Period``.

    Returns
    -------
    str
    """
    if isinstance(period, pd.Timestamp):
        midnight = period == period.normalize()
        return period.strftime("%Y-%m-%d" if midnight else "%Y-%m-%d %H:%M:%S")
    return str(period)

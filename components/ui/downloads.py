"""The only way to a download: files are told apart by their content."""

from __future__ import annotations

import csv
import io
from hashlib import sha256
from pathlib import PurePath

import pandas as pd
import streamlit as st

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def save_button(
    label: str, data: str | bytes, name: str, mime: str, *, icon: str, key: str
) -> None:
    """Offer a file. Part of its SHA-256 stands in its name.

    Streamlit tells large files apart by length, ends and name alone, so two users could otherwise
    be given each other's file.

    Parameters
    ----------
    label : str
    data : str or bytes
    name : str
        Such as ``"effects.csv"``.
    mime, icon, key : str
    """
    content = data.encode() if isinstance(data, str) else data
    path = PurePath(name)
    marked = f"{path.stem}_{sha256(content).hexdigest()[:16]}{path.suffix}"
    st.download_button(
        label, content, file_name=marked, mime=mime, icon=icon, key=key, on_click="ignore"
    )


def to_csv(table: pd.DataFrame) -> str:
    """Write a table as CSV that no spreadsheet takes for formulas.

    Parameters
    ----------
    table : pandas.DataFrame
        Text that starts like a formula gets an apostrophe in front; numbers are left alone.

    Returns
    -------
    str
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_safe(name) for name in table.columns])
    for row in table.itertuples(index=False, name=None):
        writer.writerow(["" if pd.isna(value) else _safe(value) for value in row])
    return out.getvalue()


def _safe(value: object) -> object:
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return repr(float(value)) if isinstance(value, float) else value

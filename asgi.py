"""Panelscope behind the door of a server: safe headers, compressed files, limits on uploads.

Start it with ``streamlit run asgi.py``, or any ASGI server with ``asgi:app``.
"""

import os
from pathlib import Path

# One BLAS thread, before numpy loads: the matrices are small, and more threads only wait.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import streamlit as st

from components.ui.server import MIDDLEWARE, warm_start

app = st.App(Path(__file__).with_name("app.py"), middleware=MIDDLEWARE, lifespan=warm_start)

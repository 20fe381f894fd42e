"""Panelscope: what a treatment did to a panel, how sure we are, and how far to trust it.

Start it with ``streamlit run app.py``.
"""

import os

# One BLAS thread, before numpy loads: the matrices are small, and more threads only wait.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from components.ui import frame

frame.main()

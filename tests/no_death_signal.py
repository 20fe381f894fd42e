"""Preloaded into a child, takes away the signal with which Linux ends it after its parent."""

from __future__ import annotations

from components.analysis import child

child.DIE_WITH_PARENT = 0  # no option of prctl: the call fails, as if there were none

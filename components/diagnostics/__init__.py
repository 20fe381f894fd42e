"""What could be wrong with an estimate: one finding each, failures first."""

from components.diagnostics.base import Diagnostic, Finding, Verdict
from components.diagnostics.catalog import DIAGNOSTICS, QUICK
from components.diagnostics.run import examine, failures_first

__all__ = [
    "DIAGNOSTICS",
    "QUICK",
    "Diagnostic",
    "Finding",
    "Verdict",
    "examine",
    "failures_first",
]

"""Ask several diagnostics about one estimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.diagnostics.base import Diagnostic, Finding, Verdict
from components.estimators.base import Estimate
from components.inference.base import Progress, Uncertainty, silent

ORDER: Mapping[Verdict, int] = {"bad": 0, "caution": 1, "unknown": 2, "good": 3}


def examine(
    diagnostics: Sequence[Diagnostic],
    estimate: Estimate,
    uncertainty: Uncertainty | None,
    progress: Progress = silent,
) -> tuple[Finding, ...]:
    """Let each diagnostic look, in their order.

    Parameters
    ----------
    diagnostics : sequence of Diagnostic
        Each with no reason against this estimate.
    estimate : Estimate
    uncertainty : Uncertainty, optional
    progress : callable, optional

    Returns
    -------
    tuple of Finding
        One for each.
    """
    found = []
    for place, diagnostic in enumerate(diagnostics):

        def part(share: float, done: int = place) -> None:
            progress((done + min(share, 1.0)) / len(diagnostics))

        found.append(diagnostic.examine(estimate, uncertainty, part))
        part(1.0)
    return tuple(found)


def failures_first(findings: Sequence[Finding]) -> list[Finding]:
    """Sort findings: bad, caution, unknown, good; otherwise as they come."""
    return sorted(findings, key=lambda finding: ORDER[finding.verdict])

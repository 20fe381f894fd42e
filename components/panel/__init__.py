"""The panel itself: outcomes, treatment, labels, and the design they form."""

from components.panel.design import Cohort, Design
from components.panel.labels import period_label, unit_label
from components.panel.panel import Panel

__all__ = ["Cohort", "Design", "Panel", "period_label", "unit_label"]

"""What pages show beside the analysis, as words of the link; no result of it depends on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, cast

from components.analysis.codec import read_method, write_method
from components.diagnostics import DIAGNOSTICS, Diagnostic
from components.errors import SpecError
from components.estimators.base import Card
from components.simulation.coverage_designs import DESIGNS
from components.simulation.heteroskedastic import KINDS
from components.simulation.power import PowerStudy
from components.simulation.world_study import WorldStudy

STEP = 0.5
"""Between effect sizes."""

SIZES = (5, 100)
LARGEST = (1.0, 8.0)
DRAWS = (500, 2_000, 10_000, 100_000)
MOST_SEED = 2**31 - 1
EVERY_DESIGN = "all"
CHOICES: dict[str, tuple[str, ...]] = {
    "judge": ("placebos", "worlds"),
    "keynote": ("replicated", "as defined"),
    "coverage_design": (*DESIGNS, EVERY_DESIGN),
    "coverage_of": ("interval", "band"),
}
"""Words that take one of a few values, besides not being said."""

MSPE_LIMITS = (0.0, 20.0, 5.0, 2.0)
MOST_OUTCOMES = 50
ADJUSTED = {
    "backdating": "periods",
    "anticipation": "periods",
    "placebo_units": "max_mspe_ratio",
    "leave_donor_out": "every",
    "multiplicity": "outcomes",
}
"""The diagnostics that a visitor can set, and what of each."""

POWER, WORLD, CHECK = "simulate", "world", "check"
SINGLE_VIEWS = (POWER, WORLD, *CHOICES)
REPEATED_VIEWS = (CHECK,)

Query = dict[str, str | list[str]]


@dataclass(frozen=True)
class PowerView:
    """Settings of the power simulation.

    Parameters
    ----------
    kind : str
        Between what errors differ in size: a key of ``KINDS``.
    units, periods : int
        Size of each panel.
    largest : float
        Largest effect, in standard deviations of an error.
    draws : int
        Panels.
    seed : int
    effect : float
        Effect size that is read off.

    Raises
    ------
    SpecError
        Naming the setting that cannot be had.
    """

    kind: str = "two-way"
    units: int = 50
    periods: int = 40
    largest: float = 4.0
    draws: int = 100_000
    seed: int = 0
    effect: float = 1.5

    card: ClassVar[Card] = Card(
        key="power",
        title="Power of four variances",
        idea="How often does each variance find an effect?",
        reference="Almeida et al. (2025), arXiv 2510.11841.",
    )

    def __post_init__(self) -> None:
        low, high = SIZES
        steps = [self.largest / STEP, self.effect / STEP]
        for name, good, range_ in (
            ("kind", self.kind in KINDS, " or ".join(KINDS)),
            ("units", _whole(self.units, low, high), f"{low} to {high}"),
            ("periods", _whole(self.periods, low, high), f"{low} to {high}"),
            (
                "largest",
                LARGEST[0] <= self.largest <= LARGEST[1] and steps[0] == round(steps[0]),
                f"{LARGEST[0]:g} to {LARGEST[1]:g} in steps of {STEP:g}",
            ),
            ("draws", self.draws in DRAWS, " or ".join(f"{n}" for n in DRAWS)),
            ("seed", _whole(self.seed, 0, MOST_SEED), f"0 to {MOST_SEED}"),
            (
                "effect",
                0.0 <= self.effect <= self.largest and steps[1] == round(steps[1]),
                f"0 to {self.largest:g} in steps of {STEP:g}",
            ),
        ):
            if not good:
                raise SpecError(
                    f"The simulation's {name} cannot be {getattr(self, name)!r}.",
                    hint=f"Take {range_}.",
                )

    @property
    def study(self) -> PowerStudy:
        """What to simulate: of the kind on screen alone."""
        effects = tuple(STEP * step for step in range(round(self.largest / STEP) + 1))
        return PowerStudy(
            (self.kind,), effects, self.units, self.periods, self.draws, seed=self.seed
        )


@dataclass(frozen=True)
class WorldView(WorldStudy):
    """A world with known truth, as it was asked for."""

    card: ClassVar[Card] = Card(
        key="study",
        title="A world with known truth",
        idea="What do estimators find where the effect is known?",
        reference="Own worlds.",
    )


@dataclass(frozen=True)
class Views:
    """What every page shows beside the analysis; None is the page's own choice.

    Attributes
    ----------
    power : PowerView
    world : WorldView or None
        None where none was asked for.
    checks : tuple of Diagnostic
        Those that are not as usual.
    judge, keynote, coverage_design, coverage_of : str or None
        See ``CHOICES``.
    """

    power: PowerView = field(default_factory=PowerView)
    world: WorldView | None = None
    checks: tuple[Diagnostic, ...] = ()
    judge: str | None = None
    keynote: str | None = None
    coverage_design: str | None = None
    coverage_of: str | None = None

    def check(self, key: str) -> Diagnostic | None:
        """Give a diagnostic as it was set, or None where it is as usual."""
        return next((one for one in self.checks if one.card.key == key), None)


def views_to_query(views: Views) -> Query:
    """Write what is not as usual as words of the link; see :func:`views_from_query`."""
    query: Query = {}
    if views.power != PowerView():
        query[POWER] = write_method(views.power)
    if views.world is not None:
        query[WORLD] = write_method(views.world)
    if views.checks:
        query[CHECK] = [write_method(one) for one in views.checks]
    said = {word: getattr(views, word) for word in CHOICES}
    return query | {word: value for word, value in said.items() if value is not None}


def views_from_query(query: Mapping[str, Sequence[str]]) -> Views:
    """Read what :func:`views_to_query` wrote; words of the analysis are passed over.

    Parameters
    ----------
    query : mapping of str to sequence of str
        All values of each parameter; single ones must not be repeated.

    Returns
    -------
    Views

    Raises
    ------
    SpecError
        Naming the value that is not understood.
    """
    said: dict[str, Any] = {}
    for word, allowed in CHOICES.items():
        if word in query:
            said[word] = query[word][0]
            if said[word] not in allowed:
                raise SpecError(
                    f"The link's {word} is {said[word]!r}.", hint=f"Write {' or '.join(allowed)}."
                )
    for word, name, kind in ((POWER, "power", PowerView), (WORLD, "world", WorldView)):
        if word in query:
            said[name] = read_method(query[word][0], {kind.card.key: kind}, "simulation")
    checks = tuple(_check(text) for text in query.get(CHECK, ()))
    keys = [one.card.key for one in checks]
    if (twice := next((key for key in keys if keys.count(key) > 1), None)) is not None:
        raise SpecError(f"The link sets the check {twice!r} twice.", hint="Set it once.")
    return Views(checks=checks, **said)


def _check(text: str) -> Diagnostic:
    found: Diagnostic = read_method(
        text, {key: DIAGNOSTICS[key] for key in ADJUSTED}, "adjustable check"
    )
    key = found.card.key
    usual = DIAGNOSTICS[key]()
    for option in fields(cast("Any", found)):
        value = getattr(found, option.name)
        if option.name == ADJUSTED[key] and not _able(option.name, value):
            raise SpecError(
                f"The check {key!r} cannot have {option.name} {value!r}.",
                hint="Leave it out of the link for the usual setting.",
            )
        if option.name != ADJUSTED[key] and value != getattr(usual, option.name):
            raise SpecError(
                f"The link sets {option.name} of the check {key!r}, which is fixed.",
                hint=f"Set its {ADJUSTED[key]} alone.",
            )
    return found


def _able(option: str, value: Any) -> bool:
    if option == "max_mspe_ratio":
        return value in MSPE_LIMITS
    if option == "every":
        return isinstance(value, bool)
    return _whole(value, 1, MOST_OUTCOMES if option == "outcomes" else 10_000)


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

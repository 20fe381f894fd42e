"""All estimators on one panel: what each says, and which predicts best where nothing happened."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zlib import crc32

import numpy as np

from components.analysis.entrants import Contest, Entrant, entrants_of
from components.analysis.pace import UNKNOWN, Pace
from components.analysis.run import prepare, refuse_unidentified
from components.analysis.spec import AnalysisSpec
from components.arrays import Floats
from components.errors import NotApplicableError
from components.estimators import Estimate
from components.estimators.base import SlowFit
from components.inference.base import Progress, silent
from components.panel import Panel
from components.simulation.executors import DASK, Executor, Local, Serial, from_environment
from components.simulation.factor_model import Variant
from components.simulation.leaderboard import Trial, held
from components.simulation.placebo_assignments import (
    CalibratedWorlds,
    PlaceboAssignments,
    why_no_placebos,
    why_no_worlds,
)
from components.simulation.replicate import replicate
from components.simulation.replicate_store import PLACE, ReplicationStore, default_store

GLANCE, FIRST, ROUNDS = 12, 40, (100, 200)
"""Panels of the very first ranking, of the first one with all estimators, and of later rounds."""

MOST_PLACEBOS = 100
VARIANTS: tuple[Variant, ...] = ("no_additive", "no_interactive", "no_autocorrelation")
VARIANT_DRAWS = 60
DEAR = 0.5
"""Seconds of one fit from which an estimator does not hold up the first ranking of the others."""

NOTICED = 0.03
"""Seconds of one fit from which refits for an interval take long enough to be waited for."""

POOL_FROM = 4.0
"""Seconds of work from which other processes are worth their start."""


def contest(spec: AnalysisSpec, panel: Panel, progress: Progress = silent) -> Contest:
    """Fit all estimators and let them predict where nothing happened, in steps.

    Parameters
    ----------
    spec : AnalysisSpec
    panel : Panel
        The whole table, before the spec's units and periods are chosen.
    progress : callable, optional
        Told the share that is done; where it has a method ``show``, that is given the contest so
        far after each step.

    Returns
    -------
    Contest

    Raises
    ------
    PanelscopeError
        As :func:`components.analysis.run`.
    """
    chosen = prepare(spec, panel)
    refuse_unidentified(chosen)
    study = _Study(spec, chosen, progress)
    slow = [key for key in study.able if isinstance(study.entrant(key).estimator, SlowFit)]
    quick = [key for key in study.able if key not in slow]
    for key in quick:
        study.fit(key)
    dear = [key for key in quick if study.entrant(key).seconds > DEAR]
    cheap = [key for key in quick if key not in dear]
    for n in (GLANCE, FIRST):
        for group in (cheap, dear):
            if group:
                study.show("trying placebo assignments")
                study.placebos(group, n)
    study.show("working out intervals")
    for key in sorted(quick, key=lambda name: study.entrant(name).seconds):
        if study.entrant(key).seconds > NOTICED:
            study.show(f"working out the interval of {study.entrant(key).title}")
        study.assess(key)
    study.show("drawing worlds like the data")
    study.worlds(quick, FIRST)
    for key in slow:
        study.show(f"tuning {study.entrant(key).title}")
        study.fit(key)
        study.placebos([key], FIRST)
        study.worlds([key], FIRST)
        study.show(f"working out the interval of {study.entrant(key).title}")
        study.assess(key)
    study.show("trying more placebo assignments")
    study.placebos(study.able, MOST_PLACEBOS)
    for n in ROUNDS:
        study.show(f"drawing worlds, up to {n}")
        study.worlds(study.able, n)
    study.show("taking the worlds apart")
    study.take_apart()
    study.close()
    progress(1.0)
    return study.state


class _Study:
    """A contest while it is being worked on."""

    def __init__(self, spec: AnalysisSpec, panel: Panel, progress: Progress) -> None:
        self._spec, self._panel = spec, panel
        self._tell: Callable[[Contest], None] | None = getattr(progress, "show", None)
        self._pace = Pace(progress)
        self._pool: Executor | None = None
        self._store = _store_for(spec)
        method = spec.inference
        self.state = Contest(
            entrants_of(spec, panel), None if method is None else method.card.title, spec.level
        )
        self._estimates: dict[str, Estimate] = {}
        reasons = {"placebos": why_no_placebos(panel), "worlds": why_no_worlds(panel)}
        self._placebos = self._worlds = None
        if reasons["placebos"] is None:
            self._placebos = PlaceboAssignments.of(panel, spec.seed)
            self._change(placebo_size=self._placebos.size, placebo_most=self._placebos.most or 0)
        if reasons["worlds"] is None:
            self._worlds = CalibratedWorlds.of(panel, spec.seed)
            self._change(shares=self._worlds.world.shares())
        self._change(reasons={name: why for name, why in reasons.items() if why is not None})

    @property
    def able(self) -> list[str]:
        return [key for key, one in self.state.entrants.items() if one.reason is None]

    def entrant(self, key: str) -> Entrant:
        return self.state.entrants[key]

    def show(self, stage: str) -> None:
        self._change(stage=stage)
        self._report()
        if self._tell is not None:
            self._tell(self.state)

    def close(self) -> None:
        if isinstance(self._pool, Local):
            self._pool.close()
        self._change(stage="")

    def fit(self, key: str) -> None:
        entrant = self.entrant(key)
        begun = time.process_time()
        if isinstance(entrant.estimator, SlowFit):
            estimate = entrant.estimator.fit_told(self._panel, self._besides())
        else:
            estimate = entrant.estimator.fit(self._panel)
        if not isinstance(entrant.estimator, SlowFit):
            self._pace.learn(key, time.process_time() - begun)
        self._estimates[key] = estimate
        self._enter(
            key,
            tuned=held(estimate),
            seconds=time.process_time() - begun,
            att=estimate.att,
            effects=estimate.by_period(),
            counterfactual=estimate.paths["counterfactual"],
            observed=estimate.paths["observed"],
            unit_weights=estimate.unit_weights,
            time_weights=estimate.time_weights,
        )

    def assess(self, key: str) -> None:
        """Give the interval that the analysis itself would give with this estimator."""
        method, estimate = self._spec.inference, self._estimates[key]
        refusal = "No inference method is chosen." if method is None else method.why_not(estimate)
        if method is None or refusal is not None:
            self._enter(key, refusal=refusal)
            return
        told = self._besides()
        rng = np.random.default_rng([self._spec.seed, crc32(method.card.key.encode())])
        try:
            found = method.assess(estimate, level=self._spec.level, rng=rng, progress=told)
        except NotApplicableError as error:
            self._enter(key, refusal=error.message)
            return
        if found.interval is None:
            self._enter(key, refusal=next(iter(found.notes), "The method gives no interval here."))
        else:
            self._enter(key, interval=(found.interval.lower, found.interval.upper))

    def placebos(self, keys: list[str], n: int) -> None:
        if self._placebos is not None:
            n = min(n, self._most_placebos)
            self._change(draws=self._tried(self.state.draws, "placebos", self._placebos, keys, n))

    @property
    def _most_placebos(self) -> int:
        if self._placebos is None:
            return 0
        return min(MOST_PLACEBOS, self._placebos.most or MOST_PLACEBOS)

    def worlds(self, keys: list[str], n: int) -> None:
        if self._worlds is not None:
            self._change(draws=self._tried(self.state.draws, "worlds", self._worlds, keys, n))

    def take_apart(self) -> None:
        """Leave out parts of the world one by one: what the ranking hangs on."""
        for variant in VARIANTS if self._worlds is not None else ():
            assert self._worlds is not None
            scheme = self._worlds.without(variant)
            n = VARIANT_DRAWS
            self._change(variants=self._tried(self.state.variants, variant, scheme, self.able, n))

    def _tried(
        self,
        found: dict[str, dict[str, Floats]],
        name: str,
        scheme: Any,
        keys: list[str],
        n: int,
    ) -> dict[str, dict[str, Floats]]:
        draws = dict(found.get(name, {}))
        for key in keys:
            tuned = self.entrant(key).tuned
            done = len(draws.get(key, ()))
            if tuned is None or done >= n or (self._pace.late and done):
                continue
            trial = Trial(scheme, tuned, self._spec.level, self._spec.seed)
            who = self._executor(self._pace.of(key) * (n - done))
            told = self._teller(key, n - done)
            fresh = replicate(trial, range(done, n), executor=who, store=self._store, progress=told)
            draws[key] = np.concatenate([draws[key], fresh]) if done else fresh
        return {**found, name: draws}

    def _teller(self, key: str, count: int) -> Progress:
        """Learn the pace of an estimator while its replications come in."""
        begun = time.monotonic()

        def told(share: float) -> None:
            if share > 0.0:
                self._pace.learn(key, (time.monotonic() - begun) / (share * count))
            self._report()

        return told

    def _besides(self) -> Progress:
        """Report work that is no replication: a tuning, an interval."""
        begun = time.monotonic()

        def told(share: float) -> None:
            spent = time.monotonic() - begun
            self._report(spent * (1.0 - share) / share if share > 0.0 else UNKNOWN)

        return told

    def _report(self, besides: float = 0.0) -> None:
        """Say how far the work is, by the replications that are still to come."""
        rounds = [(self.state.draws.get("placebos", {}), self._most_placebos)]
        if self._worlds is not None:
            rounds.append((self.state.draws.get("worlds", {}), ROUNDS[-1]))
            rounds += [(self.state.variants.get(name, {}), VARIANT_DRAWS) for name in VARIANTS]
        left = {
            key: sum(max(0, most - len(draws.get(key, ()))) for draws, most in rounds)
            for key in self.able
        }
        self._pace.tell(left, besides)

    def _executor(self, seconds: float) -> Executor:
        """Choose who computes: other processes only where the work is worth their start."""
        if seconds < POOL_FROM and not os.environ.get(DASK):
            return Serial()
        if self._pool is None:
            self._pool = from_environment()
        return self._pool

    def _enter(self, key: str, **changes: Any) -> None:
        entrants = dict(self.state.entrants)
        entrants[key] = replace(entrants[key], **changes)
        self._change(entrants=entrants)

    def _change(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)


def _store_for(spec: AnalysisSpec) -> ReplicationStore | None:
    """Keep replications of samples; of a visitor's table only where the server's owner says so."""
    if spec.sample is None and not os.environ.get(PLACE, "").strip():
        return None
    return default_store()

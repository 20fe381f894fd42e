"""Sentences about a power simulation are true of its numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from components.analysis.power_words import caveats, false_alarms, found_at
from components.numerics.conditional_variance import GIVEN
from components.simulation.power import PowerStudy, PowerTables, simulate, stored


def tables(powers, error=0.001, noisy=None):
    """Build tables from one list of powers (in the order of ``GIVEN``) for each effect."""
    rows = [
        ("two-way", given, effect, power, error)
        for effect, line in powers.items()
        for given, power in zip(GIVEN, line, strict=True)
    ]
    figures = [("two-way", given, "size", 0.05, error) for given in GIVEN]
    if noisy is not None:
        figures += [
            ("two-way", given, "size, noisy", share, error)
            for given, share in zip(GIVEN, noisy, strict=True)
        ]
    return PowerTables(
        pd.DataFrame(rows, columns=["kind", "given", "effect", "power", "mc_error"]),
        pd.DataFrame(figures, columns=["kind", "given", "figure", "value", "mc_error"]),
    )


def line(**powers):
    return [powers[given] for given in GIVEN]


SIZES = line(marginal=0.05, time=0.06, unit=0.061, both=0.055)


def test_the_case_without_an_effect_is_said():
    text = false_alarms(tables({0.0: SIZES}), 0.95)
    assert text == "Without an effect the four tests reject in 5 to 6.1% of panels; 5% is meant."


def test_best_and_worst_are_named_by_their_numbers():
    found = tables({0.0: SIZES, 2.0: line(marginal=0.5, time=0.6, unit=0.61, both=0.75)})
    assert found_at(found, 2.0) == (
        "An effect of 2 sd is found in 75% of panels given both, and in 50% with the marginal "
        "variance."
    )


def test_what_is_within_noise_is_a_tie():
    powers = {0.0: SIZES, 1.0: line(marginal=0.30, time=0.31, unit=0.32, both=0.33)}
    assert "equally often by all four" in found_at(tables(powers, error=0.02), 1.0)
    assert "equally often" not in found_at(tables(powers, error=0.002), 1.0)


def test_a_caveat_is_said_only_where_it_holds():
    ahead = {0.0: SIZES, 4.0: line(marginal=0.9, time=0.93, unit=0.94, both=0.95)}
    assert caveats(tables(ahead)) == []
    behind = {0.0: SIZES, 4.0: line(marginal=0.97, time=0.93, unit=0.94, both=0.92)}
    (plain,) = caveats(tables(behind))
    assert "at 4 sd the marginal variance finds the effect in 97% of panels, against 92%" in plain
    assert "alike everywhere" in plain
    noisy = line(marginal=0.16, time=0.1, unit=0.1, both=0.06)
    (uneven,) = caveats(tables(behind, noisy=noisy))
    assert "16% of the noisiest cells without an effect, against 6%" in uneven
    assert caveats(tables(behind, error=0.05)) == []


@pytest.mark.parametrize("kind", ["none", "unit", "time", "two-way"])
def test_the_kept_study_and_a_fresh_one_can_be_told(kind):
    kept = stored()
    own = PowerTables(*(part[part["kind"] == kind] for part in (kept.curves, kept.behaviour)))
    fresh = simulate(PowerStudy((kind,), (0.0, 1.0), 5, 6, 500))
    for found, effect in ((own, 4.0), (fresh, 1.0)):
        assert "Without an effect" in false_alarms(found, 0.95)
        assert found_at(found, effect).startswith("An effect of")
        assert not any("nan" in sentence for sentence in caveats(found))

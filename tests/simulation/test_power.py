"""Power of the four variances: against the reference run, orderings, and what the page shows."""

from __future__ import annotations

import numpy as np
import pytest

from components.errors import SpecError
from components.numerics.conditional_variance import GIVEN
from components.simulation.heteroskedastic import KINDS, HeteroskedasticWorld
from components.simulation.power import PowerStudy, draw, simulate, stored

# METHODS C.4: another program, 20,000 draws. Size, power at 1 and 2, median half-width; size by
# tercile of the true variance; sd of V and its correlation with the true variance (another run).
REFERENCE_DRAWS = 20_000
REFERENCE = {
    ("none", "marginal"): (0.049, 0.164, 0.495, 2.01),
    ("none", "time"): (0.050, 0.160, 0.477, 2.04),
    ("none", "unit"): (0.050, 0.159, 0.479, 2.05),
    ("none", "both"): (0.051, 0.153, 0.461, 2.08),
    ("unit", "marginal"): (0.058, 0.131, 0.511, 1.98),
    ("unit", "time"): (0.062, 0.140, 0.500, 1.98),
    ("unit", "unit"): (0.050, 0.296, 0.650, 1.61),
    ("unit", "both"): (0.056, 0.298, 0.639, 1.61),
    ("time", "marginal"): (0.057, 0.133, 0.505, 1.98),
    ("time", "time"): (0.049, 0.291, 0.647, 1.61),
    ("time", "unit"): (0.063, 0.143, 0.490, 1.98),
    ("time", "both"): (0.055, 0.289, 0.636, 1.62),
    ("two-way", "marginal"): (0.053, 0.113, 0.523, 1.96),
    ("two-way", "time"): (0.059, 0.284, 0.662, 1.57),
    ("two-way", "unit"): (0.062, 0.293, 0.660, 1.56),
    ("two-way", "both"): (0.061, 0.427, 0.729, 1.25),
}
TERCILES = {
    ("unit", "marginal"): (0.000, 0.019, 0.154),
    ("unit", "time"): (0.001, 0.021, 0.163),
    ("unit", "unit"): (0.045, 0.051, 0.053),
    ("unit", "both"): (0.051, 0.058, 0.058),
    ("time", "marginal"): (0.000, 0.019, 0.152),
    ("time", "time"): (0.049, 0.049, 0.049),
    ("time", "unit"): (0.001, 0.024, 0.164),
    ("time", "both"): (0.053, 0.057, 0.055),
    ("two-way", "marginal"): (0.000, 0.005, 0.155),
    ("two-way", "time"): (0.013, 0.043, 0.122),
    ("two-way", "unit"): (0.013, 0.045, 0.127),
    ("two-way", "both"): (0.060, 0.060, 0.064),
}
SPREAD = {
    ("none", "marginal"): (0.034, None),
    ("none", "time"): (0.216, None),
    ("none", "unit"): (0.241, None),
    ("none", "both"): (0.328, None),
    ("unit", "marginal"): (0.200, 0.14),
    ("unit", "time"): (0.396, 0.00),
    ("unit", "unit"): (1.400, 0.96),
    ("unit", "both"): (1.499, 0.90),
    ("time", "marginal"): (0.223, 0.14),
    ("time", "time"): (1.454, 0.97),
    ("time", "unit"): (0.446, -0.01),
    ("time", "both"): (1.598, 0.89),
    ("two-way", "marginal"): (0.307, 0.11),
    ("two-way", "time"): (1.342, 0.46),
    ("two-way", "unit"): (1.540, 0.48),
    ("two-way", "both"): (2.697, 0.91),
}
STORED_DRAWS = PowerStudy().n_draws


def curve_of(curves, kind, given):
    part = curves[(curves["kind"] == kind) & (curves["given"] == given)]
    return part.set_index("effect")


def figures_of(figures, kind, given):
    part = figures[(figures["kind"] == kind) & (figures["given"] == given)]
    return part.set_index("figure")


def within(ours, mc_error, theirs, draws, digits, n_draws):
    """Three Monte Carlo errors of the difference, and half a unit of the last digit in print."""
    error = mc_error * np.sqrt(1 + n_draws / draws)
    assert ours == pytest.approx(theirs, abs=3 * error + 0.5 * 10**-digits)


@pytest.mark.parametrize(("kind", "given"), REFERENCE)
def test_stored_figures_equal_the_reference_run(kind, given):
    size, one, two, half = REFERENCE[kind, given]
    curve, figures = (
        curve_of(stored().curves, kind, given),
        figures_of(stored().behaviour, kind, given),
    )
    for effect, theirs in ((0.0, size), (1.0, one), (2.0, two)):
        point = curve.loc[effect]
        within(point["power"], point["mc_error"], theirs, REFERENCE_DRAWS, 3, STORED_DRAWS)
    rows = [("median half-width", half, 2), ("sd of V", SPREAD[kind, given][0], 3)]
    if SPREAD[kind, given][1] is not None:
        rows.append(("corr(V, true)", SPREAD[kind, given][1], 2))
    if (kind, given) in TERCILES:
        names = ("size, quiet", "size, middle", "size, noisy")
        rows += [(n, v, 3) for n, v in zip(names, TERCILES[kind, given], strict=True)]
    for name, theirs, digits in rows:
        own = figures.loc[name]
        within(own["value"], own["mc_error"], theirs, REFERENCE_DRAWS, digits, STORED_DRAWS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_smaller_run_reproduces_the_stored_curves(kind):
    study = PowerStudy(kinds=(kind,), n_draws=1500, seed=17)
    curves, kept = simulate(study).curves, stored().curves
    for given in GIVEN:
        ours, theirs = curve_of(curves, kind, given), curve_of(kept, kind, given)
        error = np.sqrt(theirs["power"] * (1 - theirs["power"]) / 1500 + theirs["mc_error"] ** 2)
        # Nine correlated points for each of 16 curves: four errors keep a false alarm rare.
        assert ((ours["power"] - theirs["power"]).abs() <= 4 * error).all()


def test_orderings_are_strict():
    power = stored().curves.set_index(["kind", "given", "effect"])["power"]
    sd = stored().behaviour.set_index(["kind", "given", "figure"])["value"]
    for kind in KINDS:
        spreads = [sd[kind, given, "sd of V"] for given in GIVEN]
        assert spreads[0] == min(spreads)
        assert spreads[3] == max(spreads)
        if kind != "none":
            assert power[kind, "both", 1.0] > power[kind, "marginal", 1.0]
            assert power[kind, "both", 2.0] > power[kind, "marginal", 2.0]
            assert power[kind, "both", 4.0] < power[kind, "marginal", 4.0]  # caveat 2
    for effect in (1.0, 2.0):
        assert power["unit", "unit", effect] > power["unit", "time", effect]
        assert power["time", "time", effect] > power["time", "unit", effect]
        assert power["two-way", "both", effect] > power["two-way", "unit", effect]
        assert power["two-way", "both", effect] > power["two-way", "time", effect]
        assert power["none", "both", effect] < power["none", "marginal", effect]  # caveat 1


def test_marginal_is_valid_on_average_only():
    size = stored().behaviour.set_index(["kind", "given", "figure"])["value"]
    for kind in ("unit", "time", "two-way"):
        assert size[kind, "marginal", "size, quiet"] < 0.01
        assert size[kind, "marginal", "size, noisy"] > 0.14
        assert abs(size[kind, "both", "size, quiet"] - size[kind, "both", "size, noisy"]) < 0.01


def test_same_seed_same_bits_whatever_else_is_studied():
    one = simulate(PowerStudy(kinds=("unit",), n_draws=200)).curves
    both = simulate(PowerStudy(kinds=("none", "unit"), n_draws=200)).curves
    rest = both[both["kind"] == "unit"].reset_index(drop=True)
    assert one.equals(rest)


def test_the_world_is_what_it_says():
    world = HeteroskedasticWorld(6, 5, 1.0, 0.5)
    Y, variance, rows, columns = world.draw(40_000, np.random.default_rng(1))
    assert np.square(Y).mean() == pytest.approx(1.0, abs=0.02)
    assert np.log(variance).var() == pytest.approx(1.25, abs=0.03)
    own = Y[np.arange(len(Y)), rows, columns] / np.sqrt(variance)
    assert own.std() == pytest.approx(1.0, abs=0.015)
    assert set(rows) == set(range(6))
    assert set(columns) == set(range(5))


def test_effect_zero_is_the_size_and_progress_ends_at_one():
    told = []
    study = PowerStudy(kinds=("none",), effects=(0.0,), n_draws=300)
    tables = simulate(study, told.append)
    assert told[-1] == 1.0
    figures = tables.behaviour.set_index(["given", "figure"])["value"]
    for given in GIVEN:
        assert curve_of(tables.curves, "none", given).loc[0.0, "power"] == figures[given, "size"]
    assert draw(study, "none").rejects(0.0).shape == (4, 300)


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(SpecError, match="kind 'sideways'"):
        PowerStudy(kinds=("sideways",))
    with pytest.raises(SpecError, match="1 draws"):
        PowerStudy(n_draws=1)
    with pytest.raises(SpecError, match="too few placebo"):
        HeteroskedasticWorld(2, 5)

"""The specification curve: every fit is the estimator's own, and its p-value is one."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from components.analysis import load_table, run, sample_spec, specification, words_of
from components.analysis.choices import (
    ALL,
    GROUPS,
    HEAVIEST,
    Choice,
    Scale,
    donor_rules,
    donors_of,
    net_of_covariates,
    sc_weights,
    transforms,
    windows,
)
from components.analysis.curve_test import curve_test
from components.analysis.curve_words import (
    OWN,
    by_option,
    curve_sentence,
    what_matters,
    with_declared,
)
from components.analysis.specification import (
    Fits,
    choices,
    curve,
    fit_choice,
    fit_groups,
    placebo_curves,
    why_no_placebos,
)
from components.data import to_panel
from components.errors import NotApplicableError
from components.estimators.sdid import SyntheticDID
from components.inference import silent
from panels import block_panel


def with_covariate(panel, seed=0):
    X = np.random.default_rng(seed).normal(size=panel.shape).cumsum(axis=1)
    return replace(panel, Y=panel.Y + 0.7 * X, X={"x": X})


PANELS = {
    "one treated": block_panel(seed=1, n=12, t=18),
    "two treated": block_panel(seed=2, n=13, t=18, n_treated=2),
    "with covariate": with_covariate(block_panel(seed=3, n=10, t=14)),
}


@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS.keys())
def test_every_batched_fit_is_that_of_the_estimator(panel):
    every = choices(panel, in_logs=False)
    table = curve(panel, False)
    assert len(table) == len(every) > 100
    rng = np.random.default_rng(0)
    for place in rng.choice(len(every), 60, replace=False):
        effect, ratio, n_donors, n_pre = fit_choice(panel, every[place])
        row = table.iloc[place]
        assert row["effect"] == pytest.approx(effect, rel=1e-6, abs=1e-8)
        assert (row["n_donors"], row["n_pre"]) == (n_donors, n_pre)
        if panel.design.n_treated == 1 and every[place].estimator != "did":
            assert row["ratio"] == pytest.approx(ratio, rel=1e-5)


def test_no_specification_comes_twice():
    every = choices(PANELS["with covariate"], in_logs=False)
    assert len(set(every)) == len(every)
    masks = [mask.tobytes() for mask in windows(8, 12).values()]
    assert len(set(masks)) == len(masks)


def test_the_declared_one_is_among_them_or_is_added():
    spec = sample_spec("prop99")
    panel = to_panel(load_table(spec.source), spec.columns)[0]
    table = curve(panel, False)
    for changes, n in (({}, 768), ({"estimator": SyntheticDID(ridge_scale=2.0)}, 769)):
        result = run(spec.with_(inference=None, **changes), panel)
        marked = with_declared(table, result)
        assert len(marked) == n
        assert marked["declared"].sum() == 1
        own = marked[marked["declared"]].iloc[0]
        assert own["effect"] == pytest.approx(result.estimate.att, abs=1e-8)
        assert marked["effect"].is_monotonic_increasing
        assert (own["donors"] == OWN) == (n == 769)
    sentence = curve_sentence(with_declared(table, run(spec, panel)), words_of(spec))
    assert "768 ways" in sentence
    assert "\u221219.5, is number 523 from the lowest, and 99.2% of all have its sign" in sentence


def test_five_hundred_fits_within_five_seconds_of_cpu(prop99):
    begin = time.process_time()
    table = curve(prop99, False)
    assert (time.process_time() - begin) * 500 / len(table) < 5.0


def test_scales_go_forth_and_back():
    Y = np.random.default_rng(0).lognormal(size=(5, 9))
    for name in transforms(Y, 6, in_logs=False):
        scale = Scale.of(name, Y, 6)
        rows = np.array([[3], [1]])
        np.testing.assert_allclose(scale.back(scale.forth(Y)[rows], rows), Y[rows])
    assert transforms(Y, 6, in_logs=True) == ("levels", "standardised")
    assert "logs" not in transforms(Y - Y.max(), 6, in_logs=False)
    assert transforms(np.ones((3, 9)), 6, in_logs=False) == ("levels", "logs", "index")


def test_an_exact_relative_effect_is_found_in_logs_and_put_back():
    rng = np.random.default_rng(3)
    base = np.exp(rng.normal(3, 0.4, (6, 1)) + rng.normal(0, 0.2, (1, 12)))
    panel = block_panel(n=6, t=12, n_post=4)
    Y = np.where(panel.W, 0.8 * base, base)
    choice = Choice("did", transform="logs")
    effect, *_ = fit_choice(panel.with_outcomes(Y), choice)
    assert effect == pytest.approx(-0.2 * base[panel.W].mean(), rel=1e-9)


def test_donor_rules_choose_what_they_say():
    rng = np.random.default_rng(5)
    before = rng.normal(size=(12, 8)) + 3.0 * np.arange(12)[:, None]
    targets = before[[4]] + 0.1
    others = np.ones((1, 12), dtype=bool)
    heaviest = sc_weights(before, targets, others)

    def left(rule):
        return np.flatnonzero(donors_of(rule, before, targets, others, heaviest)[0]).tolist()

    assert left(ALL) == list(range(12))
    assert 4 in left("nearest quarter")
    assert len(left("nearest quarter")) == 3
    assert len(left("nearest half")) == 6
    assert left(HEAVIEST) == [row for row in range(12) if row != heaviest[0].argmax()]
    assert [len(left(rule)) for rule in GROUPS] == [9] * 4
    assert left(GROUPS[0]) == list(range(3, 12))
    assert left(GROUPS[3]) == list(range(9))
    assert donor_rules(2) == (ALL,)


def test_windows_keep_enough_periods_before():
    assert windows(3, 8).keys() == {(ALL, "up to treatment")}
    assert windows(1, 4)[ALL, "up to treatment"].all()
    for (start, end), mask in windows(20, 26).items():
        assert mask[20:].all()
        assert mask[:20].sum() >= 3
        assert mask[0] == (start == ALL)
        assert mask[19] == (end == "up to treatment")


def test_what_covariates_explain_is_taken_off():
    panel = PANELS["with covariate"]
    net = net_of_covariates(panel)
    slope = (panel.Y - net.Y) / panel.X["x"]
    np.testing.assert_allclose(slope, slope.flat[0])
    assert slope.flat[0] == pytest.approx(0.7, abs=0.2)
    assert net_of_covariates(block_panel()) is None


def test_slower_estimators_join_on_demand():
    panel = block_panel(seed=1, n=7, t=10, n_post=2)
    told = []
    table = curve(panel, True, ("mc",), told.append)
    added = table[table["estimator"] == "mc"]
    assert len(added) > 3
    assert set(added["donors"]) == {ALL}
    assert len(table) == len(curve(panel, True)) + len(added)
    assert told[-1] == 1.0


def test_tables_with_gaps_keep_to_estimators_that_take_them():
    Y = np.array(block_panel().Y)
    Y[3, 2] = np.nan
    panel = block_panel().with_outcomes(Y)
    table = curve(panel, False)
    assert set(table["estimator"]) == {"did"}
    assert np.isfinite(table["effect"]).all()


def test_nothing_before_treatment_is_refused():
    panel = block_panel(t=6, n_post=6)
    with pytest.raises(NotApplicableError, match="first period"):
        choices(panel, in_logs=False)


def test_placebos_are_the_fits_of_a_panel_with_that_unit_treated():
    panel = block_panel(seed=1, n=12, t=14, n_post=4)
    fits = placebo_curves(panel, False, 0)
    every = choices(panel, in_logs=False)
    controls = panel.take(~panel.design.treated)
    rng = np.random.default_rng(1)
    for place in rng.choice(len(every), 25, replace=False):
        unit = int(rng.integers(controls.shape[0]))
        W = np.zeros(controls.shape, dtype=bool)
        W[unit, 10:] = True
        effect, *_ = fit_choice(controls.reassign(W), every[place])
        assert fits.effects[unit, place] == pytest.approx(effect, rel=1e-6, abs=1e-8)
    assert why_no_placebos(panel) is None
    assert "too few" in why_no_placebos(block_panel(n=8))


def test_random_groups_stand_in_for_several_treated(monkeypatch):
    monkeypatch.setattr(specification, "DRAWS", 3)
    panel = block_panel(seed=1, n=15, t=20, n_treated=2, n_post=3)
    one, two, other = (placebo_curves(panel, True, seed) for seed in (0, 0, 1))
    assert one.effects.shape == (3, len(choices(panel, in_logs=True)))
    np.testing.assert_array_equal(one.effects, two.effects)
    assert not np.array_equal(one.effects, other.effects)


def test_the_test_counts_units_with_as_large_a_summary():
    effects = np.array([3.0, 4.0, 5.0])
    ratios = np.array([9.0, 9.0, 9.0])
    rng = np.random.default_rng(0)
    placebos = Fits(
        np.vstack([[-8.0, -9.0, -7.0], rng.normal(0, 1, (18, 3))]),
        np.full((19, 3), 1.0),
        np.zeros(3, dtype=np.int64),
        np.zeros(3, dtype=np.int64),
    )
    test = curve_test(effects, ratios, placebos).set_index("summary")
    assert test["smallest_p"].tolist() == [0.05] * 3
    assert test.loc["size of the median effect", "value"] == 4.0
    assert test.loc["size of the median effect", "p_value"] == pytest.approx(2 / 20)
    assert test.loc["share in which it stands out", "value"] == 1.0
    assert test.loc["share in which it stands out", "p_value"] == pytest.approx(1 / 20)


def test_p_values_are_those_of_chance_where_no_unit_differs():
    p_values = []
    for seed in range(60):
        panel = block_panel(seed=seed, n=12, t=10, n_post=3, effect=0.0)
        quick = [c for c in choices(panel, in_logs=True) if c.estimator == "did"]
        own = fit_groups(panel, quick, np.array([[0]]), silent)
        fits = fit_groups(panel, quick, np.arange(1, 12)[:, None], silent)
        test = curve_test(own.effects[0], own.ratios[0], fits)
        p_values.append(test["p_value"].to_numpy())
    values = np.array(p_values)
    assert values.min() >= 1 / 12 - 1e-9
    assert 0.4 < values[:, 0].mean() < 0.68  # 13/24 is expected, with a standard error of 0.04
    assert (values[:, 0] <= 0.25).mean() < 0.42


def test_options_are_summarised_and_the_one_that_matters_is_named():
    rows = [
        {"estimator": key, "donors": donors, "effect": effect}
        for (key, donors), effect in {
            ("did", ALL): -1.0,
            ("did", HEAVIEST): -1.2,
            ("sc", ALL): -9.0,
            ("sc", HEAVIEST): -9.4,
        }.items()
    ]
    table = pd.DataFrame(rows).assign(
        start=ALL, end="up to treatment", transform="levels", covariates="without", place=range(4)
    )
    options = by_option(table)
    assert options["choice"].tolist() == ["Estimator"] * 2 + ["Donors"] * 2
    words = what_matters(options)
    assert "estimator" in words
    assert "Synthetic control" in words
    assert what_matters(options.iloc[:0]) == ""

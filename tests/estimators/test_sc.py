from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from components.errors import NotApplicableError
from components.estimators.sc_intercept import SyntheticControlIntercept
from components.estimators.synthetic_control import SyntheticControl
from components.panel import Panel
from panels import block_panel
from refits import read, refitted, with_start

ADH = (
    "ln_income[1980..1988]",
    "retail_price_cents[1980..1988]",
    "share_age_15_to_24[1980..1988]",
    "beer[1984..1988]",
    "packs_per_capita[1975]",
    "packs_per_capita[1980]",
    "packs_per_capita[1988]",
)


def with_covariate(panel, seed=0):
    X = np.random.default_rng(seed).normal(size=(2, *panel.shape))
    return replace(panel, X={"a": X[0], "b": X[1] + panel.Y})


VERSIONS = [
    SyntheticControl(),
    SyntheticControl(fit_to="each"),
    SyntheticControl(predictors=("a", "b[2001..2004]", "y[2005]")),
    SyntheticControl(pairwise_penalty=0.05),
    SyntheticControl(pairwise_penalty=None),
    SyntheticControl(augment=True),
    SyntheticControl(augment=True, augment_ridge=3.0, fit_to="each"),
    SyntheticControl(solver="frank_wolfe"),
    SyntheticControlIntercept(),
    SyntheticControlIntercept(solver="frank_wolfe"),
    SyntheticControlIntercept(weights="elastic_net", penalty=2.0, mix=0.4),
    SyntheticControlIntercept(weights="elastic_net"),
]


@pytest.mark.parametrize("estimator", VERSIONS, ids=repr)
@pytest.mark.parametrize("n_treated", [1, 3])
def test_placebos_equal_refits(estimator, n_treated):
    panel = with_covariate(block_panel(n=11, n_treated=n_treated))
    groups = np.array([[4, 6, 9], [3, 5, 10], [8, 7, 4]])[:, :n_treated]
    together = estimator.placebo_gaps(panel, groups)
    for row, group in enumerate(groups):
        expected = refitted(estimator, panel, np.sort(group))
        np.testing.assert_allclose(together[row], expected, atol=1e-8)


@pytest.mark.parametrize("corner", [{"n": 40, "t": 9}, {"n": 4, "t": 30}, {"n": 3, "t": 7}])
@pytest.mark.parametrize("estimator", [VERSIONS[0], VERSIONS[8]], ids=repr)
def test_placebos_equal_refits_in_corners(estimator, corner):
    panel = block_panel(**corner)
    groups = np.arange(1, corner["n"])[:, None]
    together = estimator.placebo_gaps(panel, groups)
    for row, group in enumerate(groups):
        np.testing.assert_allclose(together[row], refitted(estimator, panel, group), atol=1e-8)


def test_a_treated_unit_is_no_placebo(panel):
    with pytest.raises(ValueError, match="never-treated"):
        SyntheticControl().placebo_gaps(panel, np.array([[0]]))


@pytest.mark.parametrize("estimator", [VERSIONS[0], *VERSIONS[8:]], ids=repr)
def test_null_residuals_belong_to_the_fit_on_all_periods(estimator, panel):
    if getattr(estimator, "solver", "") == "frank_wolfe":
        return
    own = panel.Y[0]
    residuals = estimator.null_residuals(panel, np.stack([own, own - 1.0]))
    assert residuals.shape == (2, panel.shape[1])
    longer = panel.with_outcomes(panel.Y)
    W = np.zeros((12, 16), dtype=bool)
    W[0, 15] = True
    extended = Panel(
        np.column_stack([longer.Y, longer.Y[:, -1]]), W, panel.units, pd.RangeIndex(16)
    )
    if estimator.card.key == "sc_intercept" and estimator.weights == "elastic_net":
        tuned = estimator.tuned(estimator.fit(panel))
        estimator = replace(estimator, penalty=tuned.penalty, mix=tuned.mix)
    expected = estimator.fit(extended).paths["gap"].to_numpy()[:15]
    np.testing.assert_allclose(residuals[0], expected, atol=1e-8)
    shift = residuals[0] - residuals[1]
    if estimator.card.key == "sc_intercept":
        np.testing.assert_allclose(shift, 0.0, atol=1e-8)


@pytest.mark.parametrize(
    "estimator", [VERSIONS[2], VERSIONS[3], VERSIONS[5], VERSIONS[7]], ids=repr
)
def test_versions_without_a_null_model_say_so(estimator, panel):
    with pytest.raises(NotApplicableError, match="no fit to all periods"):
        estimator.null_residuals(panel, panel.Y[:1])


def test_each_treated_unit_by_its_own_donors():
    panel = block_panel(n_treated=3)
    estimate = SyntheticControl(fit_to="each").fit(panel)
    by_unit = estimate.details["weights_by_unit"]
    for unit in range(3):
        rows = [unit, *range(3, 12)]
        alone = SyntheticControl().fit(panel.take(rows))
        np.testing.assert_allclose(estimate.Y0[unit], alone.Y0[0], atol=1e-9)
        np.testing.assert_allclose(by_unit.iloc[unit], alone.unit_weights, atol=1e-9)
    np.testing.assert_allclose(estimate.unit_weights, by_unit.mean())
    pooled = SyntheticControl().fit(panel)
    assert any("average of the 3 treated units" in note for note in pooled.notes)
    np.testing.assert_allclose(pooled.Y0[0], pooled.Y0[2])


def test_weights_that_are_not_unique_are_named():
    panel = block_panel(n=40, t=8)
    Y = panel.Y.copy()
    Y[0] = Y[1:].mean(axis=0)
    estimate = SyntheticControl().fit(panel.with_outcomes(Y))
    np.testing.assert_allclose(estimate.unit_weights, 1 / 39, atol=1e-9)
    assert any("not unique" in note for note in estimate.notes)
    assert SyntheticControl().fit(block_panel(n=8, t=30)).notes == ()
    single = SyntheticControl().fit(block_panel(n=6, t=4, n_post=3))
    assert any("single period" in note for note in single.notes)


@pytest.mark.parametrize(
    "options",
    [
        {"pairwise_penalty": -1.0},
        {"pairwise_penalty": float("nan")},
        {"augment_ridge": 0.0},
        {"predictors": ("a",), "pairwise_penalty": 1.0},
        {"predictors": ("a",), "training_predictors": ("a", "b")},
        {"solver": "frank_wolfe", "pairwise_penalty": None},
    ],
)
def test_options_that_do_not_fit_are_refused(options):
    with pytest.raises(ValueError, match=r"must|choose"):
        SyntheticControl(**options)
    with pytest.raises(ValueError, match="mix"):
        SyntheticControlIntercept(mix=1.5)


def test_early_stopping_reproduces_the_published_digits(prop99):
    # R synthdid 0.0.9 on the same file: METHODS B.1.
    assert SyntheticControl(solver="frank_wolfe").fit(prop99).att == pytest.approx(
        -19.61966, abs=1e-5
    )
    estimate = SyntheticControlIntercept(solver="frank_wolfe").fit(prop99)
    assert estimate.att == pytest.approx(-11.10464, abs=2e-5)
    assert any("Frank-Wolfe" in note for note in estimate.notes)


def test_the_published_synthetic_california_fits_worse_than_the_optimum(prop99):
    stopped, exact = SyntheticControl(solver="frank_wolfe"), SyntheticControl()
    ratio = (stopped.fit(prop99).pre_rmspe / exact.fit(prop99).pre_rmspe) ** 2
    assert ratio == pytest.approx(1.0102, abs=2e-4)


def test_intercept_weights_on_proposition_99(prop99):
    weights = {"Connecticut": 0.26598, "Nevada": 0.22763, "Illinois": 0.15411, "Colorado": 0.09587}
    weights |= {"Nebraska": 0.09259, "Montana": 0.08096, "New Hampshire": 0.05873}
    weights |= {"Kansas": 0.01378, "Idaho": 0.0}
    estimate = SyntheticControlIntercept().fit(prop99)
    for state, weight in weights.items():
        assert estimate.unit_weights[state] == pytest.approx(weight, abs=1e-5)
    assert estimate.pre_rmspe == pytest.approx(0.95536, abs=1e-5)


@pytest.mark.parametrize(
    ("estimator", "spread"),
    [(SyntheticControl(), 10.6330), (SyntheticControlIntercept(), 10.0692)],
    ids=["sc", "sc_intercept"],
)
def test_enumerated_placebos_of_proposition_99(prop99, estimator, spread):
    groups = np.flatnonzero(~prop99.design.treated)[:, None]
    gaps = estimator.placebo_gaps(prop99, groups)
    assert gaps[:, 19:].mean(axis=1).std() == pytest.approx(spread, abs=1e-4)


def test_predictors_of_proposition_99(published):
    covariates = ("ln_income", "beer", "share_age_15_to_24", "retail_price_cents")
    panel = read(
        published, "california_prop99_covariates.csv", "state", "year", "packs_per_capita",
        covariates=covariates,
    )  # fmt: skip
    estimate = SyntheticControl(predictors=ADH).fit(panel)
    # mlsynth's bilevel solver (MSCMT): the same optimum, a little below that of Abadie, Diamond
    # and Hainmueller (2010, table 2), whose weights are .334, .234, .199, .164, .069.
    best = {"Utah": 0.335, "Nevada": 0.236, "Montana": 0.202, "Colorado": 0.160}
    best |= {"Connecticut": 0.068}
    for state, weight in best.items():
        assert estimate.unit_weights[state] == pytest.approx(weight, abs=6e-4)
    for state, weight in zip(best, (0.334, 0.234, 0.199, 0.164, 0.069), strict=True):
        assert estimate.unit_weights[state] == pytest.approx(weight, abs=0.005)
    assert estimate.att == pytest.approx(-19.0, abs=0.05)
    assert estimate.details["outer_loss_bound"] == pytest.approx(2.743662, abs=1e-6)
    assert estimate.details["outer_loss"] == pytest.approx(3.07666, abs=1e-4)
    assert estimate.pre_rmspe**2 == pytest.approx(estimate.details["outer_loss"])
    turned = SyntheticControl(predictors=ADH[::-1]).fit(panel)
    np.testing.assert_array_equal(turned.unit_weights, estimate.unit_weights)


BASQUE = (
    *(f"school_{level}[1964..1969]" for level in ("illit", "prim", "med", "high", "post_high")),
    "invest[1964..1969]",
    "gdpcap[1960..1969]",
    *(
        f"sec_{sector}[1961..1969]"
        for sector in
        ("agriculture", "energy", "industry", "construction", "services_venta", "services_nonventa")
    ),
    "popdens[1969]",
)  # fmt: skip


def test_predictors_of_the_basque_country(published):
    names = tuple(text.partition("[")[0] for text in BASQUE if "gdpcap" not in text)
    panel = read(published, "basque.csv", "region", "year", "gdpcap", covariates=names)
    estimate = SyntheticControl(predictors=BASQUE, loss_window="1960..1969").fit(
        with_start(panel, 1975)
    )
    # Abadie and Gardeazabal's answer (.851 Catalonia, .149 Madrid; loss .0088645) is a local
    # minimum that several starts end in; the search finds less than half of that loss.
    starts = estimate.details["search_starts"]
    published_one = starts[np.isclose(starts["loss"], 0.0088645, atol=3e-6)]
    assert len(published_one)
    assert estimate.details["outer_loss"] < 0.00429
    assert estimate.details["outer_loss"] >= estimate.details["outer_loss_bound"]
    apart = 0.850816 - estimate.unit_weights["Cataluna"]
    assert published_one["largest_weight_difference"].iloc[0] == pytest.approx(
        max(apart, estimate.unit_weights["Baleares (Islas)"]), abs=2e-3
    )


def test_outcomes_of_the_basque_country(published):
    panel = read(published, "basque.csv", "region", "year", "gdpcap")
    late = SyntheticControl().fit(with_start(panel, 1975))
    weights = {"Cataluna": 0.82642, "Madrid (Comunidad De)": 0.16835}
    weights |= {"Principado De Asturias": 0.00523}
    for region, weight in weights.items():
        assert late.unit_weights[region] == pytest.approx(weight, abs=1e-5)
    assert late.att == pytest.approx(-0.691528, abs=1e-5)
    assert late.pre_rmspe == pytest.approx(0.084231, abs=1e-6)
    early = SyntheticControl().fit(panel)
    assert early.att == pytest.approx(-0.894589, abs=1e-5)
    assert early.unit_weights["Madrid (Comunidad De)"] == pytest.approx(0.48313, abs=1e-5)
    shifted = SyntheticControlIntercept()
    assert shifted.fit(with_start(panel, 1975)).att == pytest.approx(-0.796612, abs=1e-5)
    assert shifted.fit(panel).att == pytest.approx(-0.939352, abs=1e-5)


def test_outcomes_of_german_reunification(published):
    panel = read(published, "german_reunification.csv", "country", "year", "gdp")
    # scpi's version of the panel: thousands, and fitted through 1990.
    panel = with_start(panel.with_outcomes(panel.Y / 1000), 1991)
    estimate = SyntheticControl().fit(panel)
    weights = {"Austria": 0.29112, "USA": 0.27282, "Italy": 0.19137, "Netherlands": 0.13303}
    weights |= {"Switzerland": 0.08136, "France": 0.03030}
    for country, weight in weights.items():
        assert estimate.unit_weights[country] == pytest.approx(weight, abs=1e-5)
    assert estimate.att == pytest.approx(-1.668437, abs=1e-5)
    assert estimate.pre_rmspe == pytest.approx(0.072301, abs=1e-6)
    shifted = SyntheticControlIntercept().fit(panel)
    assert shifted.att == pytest.approx(-1.727615, abs=1e-5)
    assert shifted.unit_weights["Japan"] == pytest.approx(0.01382, abs=1e-5)


def test_predictors_of_german_reunification_by_cross_validation(published):
    names = ("trade", "infrate", "industry", "schooling", "invest80", "invest70")
    panel = read(published, "german_reunification.csv", "country", "year", "gdp", covariates=names)
    panel = with_start(panel, 1991)
    means = ("gdp", "trade", "infrate", "industry")
    estimate = SyntheticControl(
        predictors=(*(f"{name}[1981..1990]" for name in means),
                    "schooling[1980..1985]", "invest80[1980]"),
        training_predictors=(*(f"{name}[1971..1980]" for name in means),
                             "schooling[1970..1975]", "invest70[1980]"),
        loss_window="1981..1990",
    ).fit(panel)  # fmt: skip
    # Abadie, Diamond and Hainmueller (2015, table 1): .42, .22, .16, .11, .09.
    printed = {"Austria": 0.42, "USA": 0.22, "Japan": 0.16, "Switzerland": 0.11}
    printed |= {"Netherlands": 0.09}
    for country, weight in printed.items():
        assert estimate.unit_weights[country] == pytest.approx(weight, abs=0.005)


def test_predictors_that_cannot_be_used_are_named(panel):
    def reason(*predictors, **options):
        return SyntheticControl(predictors=predictors, **options).why_not(panel)

    panel = replace(panel, X={"a": np.where(np.arange(12)[:, None] == 3, np.nan, panel.Y)})
    assert reason("y", "y[2001..2004]") is None
    assert "names no column; there are: y, a" in reason("beer")
    assert "has no value for unit 03" in reason("a")
    assert "2012 is not before treatment" in reason("y[2008..2012]")
    assert "no period '1850'" in reason("y[1850]")
    assert "2001 comes before 2004" in reason("y[2004..2001]")
    assert "2014 is not before treatment" in reason("y", loss_window="2000..2014")


def test_matching_predictors_exactly_leaves_the_choice_to_the_outcome():
    panel = block_panel(n=30, t=20)
    estimate = SyntheticControl(predictors=("y",)).fit(panel)
    assert any("match the predictors equally well" in note for note in estimate.notes)
    before = estimate.paths["gap"].to_numpy()[:15]
    assert before.mean() == pytest.approx(0.0, abs=1e-4)
    balanced = estimate.details["balance"]
    np.testing.assert_allclose(balanced["treated"], balanced["synthetic"], atol=1e-4)


def test_chosen_tuning_can_be_held(panel):
    for estimator in (VERSIONS[4], VERSIONS[5], VERSIONS[11]):
        estimate = estimator.fit(panel)
        held = estimator.tuned(estimate)
        assert held != estimator
        assert held.fit(panel).att == pytest.approx(estimate.att)


def test_elastic_net_extrapolates_and_says_so(panel):
    estimate = VERSIONS[10].fit(panel)
    assert any("extrapolate" in note for note in estimate.notes)
    gap = estimate.paths["gap"].to_numpy()[:10]
    assert gap.mean() == pytest.approx(0.0, abs=1e-10)


@pytest.mark.parametrize(
    "estimator", [*VERSIONS[:6], VERSIONS[7], VERSIONS[8], VERSIONS[11]], ids=repr
)
@pytest.mark.parametrize("scale", [1e-9, -1.0, 1e9])
def test_every_version_scales_with_the_outcome(estimator, scale):
    panel = with_covariate(block_panel(n_treated=2))
    one, other = estimator.fit(panel), estimator.fit(panel.with_outcomes(scale * panel.Y))
    assert other.att / scale == pytest.approx(one.att, rel=1e-6)


@pytest.mark.parametrize("estimator", VERSIONS, ids=repr)
def test_no_version_looks_at_treated_outcomes(estimator):
    panel = with_covariate(block_panel(n_treated=2))
    moved = panel.with_outcomes(panel.Y + 50.0 * panel.W)
    one, other = estimator.fit(panel), estimator.fit(moved)
    np.testing.assert_allclose(other.Y0[panel.W], one.Y0[panel.W], atol=1e-9)

"""Every diagnostic keeps its promises, finds what is planted, and knows no other."""

from __future__ import annotations

import ast
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, ttest_ind
from scipy.stats import t as student

from components.diagnostics import DIAGNOSTICS, QUICK, Finding, examine, failures_first
from components.diagnostics.anticipation import Anticipation
from components.diagnostics.backdating import Backdating
from components.diagnostics.balance import PredictorBalance
from components.diagnostics.concentration import Concentration
from components.diagnostics.contamination import Contamination, reactions
from components.diagnostics.fit import PrePeriodFit
from components.diagnostics.honest import HonestBounds
from components.diagnostics.leave_treated_out import LeaveTreatedOut
from components.diagnostics.missingness import Missingness
from components.diagnostics.multiplicity import Multiplicity
from components.diagnostics.time_support import TimeSupport
from components.estimators import ESTIMATORS
from components.estimators.base import FastPlacebos
from components.inference import METHODS, silent
from components.panel import Panel
from conftest import ROOT
from panels import block_panel

VERDICTS = {"bad", "caution", "unknown", "good"}


def mixture(seed=0, n=24, t=24, n_post=8, effect=5.0, n_treated=1):
    """Simulate a panel whose treated units are averages of donors, save for noise of sd 1."""
    rng = np.random.default_rng(seed)
    level, loading = rng.normal(0, 3, n), rng.normal(0, 1, (n, 2))
    for row in range(n_treated):
        mix = np.zeros(n)
        mix[rng.choice(np.arange(n_treated, n), 5, replace=False)] = rng.dirichlet(np.full(5, 2.0))
        level[row], loading[row] = mix @ level, mix @ loading
    factors = rng.normal(0, 0.5, (2, t)).cumsum(axis=1)
    Y = 50 + level[:, None] + rng.normal(0, 1, t).cumsum() + loading @ factors
    W = np.zeros((n, t), dtype=bool)
    W[:n_treated, t - n_post :] = True
    units = pd.Index([f"unit {row:02d}" for row in range(n)])
    return Panel(Y + rng.normal(0, 1, (n, t)) + effect * W, W, units, pd.RangeIndex(t), "y")


def look(diagnostic, panel, estimator="sc"):
    estimate = ESTIMATORS[estimator]().fit(panel)
    assert diagnostic.why_not(estimate) is None, diagnostic.why_not(estimate)
    return diagnostic.examine(estimate, None, silent)


def shifted(panel, rows, columns, by):
    Y = panel.Y.copy()
    Y[rows, columns] += by
    return panel.with_outcomes(Y)


DESIGNS = {
    "block": block_panel(n=14, t=18),
    "several": block_panel(n=24, t=18, n_treated=6),
    "gaps": block_panel(n=24, t=18, n_treated=6).with_outcomes(
        np.where(
            np.random.default_rng(1).random((24, 18)) < 0.05, np.nan,
            block_panel(n=24, t=18, n_treated=6).Y,
        )
    ),
    "short": block_panel(n=6, t=4, n_post=2),
}  # fmt: skip
_W = np.zeros((24, 18), dtype=bool)
_W[:5, 9:] = _W[5:8, 12:] = True
DESIGNS["staggered"] = block_panel(n=24, t=18).reassign(_W)
_W2 = _W.copy()
_W2[:5, 14:] = False
DESIGNS["reversing"] = block_panel(n=24, t=18).reassign(_W2)


def _cases():
    """All that can be fitted, save slow refits by code that other cases run too."""
    for design, panel in DESIGNS.items():
        for name in ("did", "sc", "sdid", "callaway_santanna", "mc"):
            estimator = ESTIMATORS[name]()
            slow = not isinstance(estimator, FastPlacebos) or design == "gaps"
            slow = slow and (design in ("several", "gaps") or name == "mc")
            if estimator.why_not(panel) is None:
                yield from ((design, name, key) for key in DIAGNOSTICS if key in QUICK or not slow)


@pytest.mark.parametrize(("design", "estimator", "key"), list(_cases()))
def test_it_says_no_with_a_reason_or_gives_one_sound_finding(design, estimator, key):
    panel, diagnostic = DESIGNS[design], DIAGNOSTICS[key]()
    estimate = ESTIMATORS[estimator]().fit(panel)
    reason = diagnostic.why_not(estimate)
    if reason is not None:
        assert reason.endswith(".")
        return
    told = []
    finding = diagnostic.examine(estimate, None, told.append)
    assert isinstance(finding, Finding)
    assert (finding.key, finding.title) == (key, diagnostic.card.title)
    assert finding.verdict in VERDICTS
    assert finding.sentence.rstrip().endswith(".")
    assert "nan" not in finding.sentence.replace("finan", "").lower()
    assert bool(finding.advice) or finding.verdict in ("good", "unknown")
    assert told
    assert all(0.0 <= share <= 1.0 + 1e-9 for share in told)


@pytest.mark.parametrize("key", DIAGNOSTICS)
def test_a_diagnostic_is_a_frozen_value_and_pure(key):
    first, second = DIAGNOSTICS[key](), DIAGNOSTICS[key]()
    assert first == second
    assert hash(first) == hash(second)
    estimate = ESTIMATORS["sc"]().fit(DESIGNS["block"])
    if first.why_not(estimate) is None:
        one, two = (d.examine(estimate, None, silent) for d in (first, second))
        assert (one.sentence, one.verdict) == (two.sentence, two.verdict)


def test_no_diagnostic_knows_another():
    classes = {kind.__name__: kind.__module__ for kind in DIAGNOSTICS.values()}
    for own, module in classes.items():
        path = ROOT / (module.replace(".", "/") + ".py")
        known = {
            alias.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        assert not (known & set(classes) - {own}), own


def test_failures_come_first():
    estimate = ESTIMATORS["sc"]().fit(DESIGNS["block"])
    some = [DIAGNOSTICS[key]() for key in ("fit", "time_support", "trends", "missingness")]
    found = failures_first(examine(some, estimate, None))
    order = ["bad", "caution", "unknown", "good"]
    places = [order.index(finding.verdict) for finding in found]
    assert places == sorted(places)


def test_a_fit_worse_than_the_plain_mean_is_named():
    panel = mixture()
    estimate = ESTIMATORS["sc"]().fit(panel)
    own = float(np.sqrt(np.mean((panel.Y[0] - panel.Y[1:].mean(axis=0))[:16] ** 2)))
    sound = PrePeriodFit().examine(estimate, None, silent)
    assert sound.verdict == "good"
    assert sound.details["plain_rmspe"] == pytest.approx(own)
    assert sound.details["rmspe"] == pytest.approx(estimate.pre_rmspe)
    Y0 = estimate.Y0.copy()
    Y0[0] += 2 * own
    assert PrePeriodFit().examine(replace(estimate, Y0=Y0), None, silent).verdict == "bad"


def test_one_donor_alone_is_named():
    panel = mixture()
    Y = panel.Y.copy()
    Y[7] = Y[0] - 5 * panel.W[0] + 0.01 * np.arange(24) % 3
    finding = look(Concentration(), panel.with_outcomes(Y))
    assert finding.verdict == "bad"
    assert finding.sentence.startswith("unit 07 has the largest weight")


@pytest.mark.parametrize("estimator", ["sc", "sdid", "did"])
def test_an_early_reaction_is_found(estimator):
    assert look(Anticipation(), mixture(), estimator).verdict == "good"
    early = shifted(mixture(), 0, slice(13, 16), 8.0)
    finding = look(Anticipation(), early, estimator)
    assert finding.verdict in ("bad", "caution")  # bad where it points the same way as the effect
    assert "13" in finding.sentence


def test_many_treated_units_tell_an_early_reaction_without_placebos():
    panel = block_panel(n=24, t=18, n_treated=8).reassign(DESIGNS["staggered"].W)
    sound = look(Anticipation(), panel, "did")
    assert "treated units" in sound.sentence
    Y = panel.Y.copy()
    for cohort in panel.design.cohorts:
        Y[cohort.rows, cohort.start - 2 : cohort.start] += 3.0
    assert look(Anticipation(), panel.with_outcomes(Y), "did").verdict in ("bad", "caution")


def test_the_earlier_date_moves():
    estimate = ESTIMATORS["sc"]().fit(mixture())
    first = [
        Backdating(periods=back).examine(estimate, None, silent).details["first"] for back in (3, 9)
    ]
    assert first == ["13", "7"]
    assert "at least 4" in Backdating(periods=13).why_not(estimate)


def test_a_reacting_donor_is_found_and_weighed():
    panel = mixture()
    heaviest = ESTIMATORS["sc"]().fit(panel).unit_weights.idxmax()
    row = panel.units.get_loc(heaviest)
    assert look(Contamination(), panel).verdict == "good"
    finding = look(Contamination(), shifted(panel, row, slice(16, None), 10.0))
    assert finding.verdict in ("bad", "caution")
    assert finding.details["named"] == [heaviest]
    assert heaviest in finding.advice


def test_a_reaction_is_measured_from_a_regression_on_the_others():
    """Donor by donor, with the movements of the others taken from their covariance."""
    panel = mixture(seed=3)
    jumps, _, gaps = reactions(panel)
    donors, j = panel.Y[1:], 4
    rest = np.delete(donors, j, axis=0)
    mean = rest.mean(axis=0)
    moves = rest - mean - (rest - mean).mean(axis=1, keepdims=True)
    factors = np.linalg.eigh(moves.T @ moves)[1][:, -2:]
    X = np.column_stack([np.ones(24), factors])
    y = donors[j] - mean
    slopes = np.linalg.solve(X[:16].T @ X[:16], X[:16].T @ y[:16])
    np.testing.assert_allclose(gaps[j], y - X @ slopes, atol=1e-8)
    assert jumps[j] == pytest.approx((y - X @ slopes)[16:22].mean())


def test_a_single_unit_that_makes_the_average_is_named():
    panel = mixture(n_treated=4, effect=0.5)
    assert look(LeaveTreatedOut(), shifted(panel, 2, slice(16, None), 40.0)).verdict == "bad"
    finding = look(LeaveTreatedOut(), mixture(n_treated=4, effect=20.0))
    assert finding.verdict == "good"
    one = ESTIMATORS["sc"]().fit(mixture())
    assert "cannot be left out" in LeaveTreatedOut().why_not(one)


def test_unlike_covariates_are_named():
    panel = mixture()
    rng = np.random.default_rng(0)
    alike, unlike = (
        rng.normal(size=(2, *panel.shape)).mean(axis=2, keepdims=True).repeat(24, axis=2)
    )
    weights = ESTIMATORS["sc"]().fit(panel).unit_weights.to_numpy()
    alike[0] = weights @ alike[1:]
    unlike[0] = unlike[1:].max() + 3 * unlike[1:, 0].std()
    finding = look(PredictorBalance(), replace(panel, X={"alike": alike, "unlike": unlike}))
    assert finding.verdict == "bad"
    assert "most in unlike" in finding.sentence
    table = finding.table.set_index("covariate")
    assert table.loc["alike", "difference"] == pytest.approx(0.0, abs=1e-9)
    spread = unlike[1:, 0].std(ddof=1)
    expected = (unlike[0, 0] - weights @ unlike[1:, 0]) / spread
    assert table.loc["unlike", "difference"] == pytest.approx(expected)


def test_outcomes_that_go_missing_with_treatment_are_named():
    panel = block_panel(n=24, t=18, n_treated=6)
    Y = panel.Y.copy()
    Y[:3, 14:] = np.nan
    finding = look(Missingness(), panel.with_outcomes(Y), "did")
    assert finding.verdict == "bad"
    assert "40% of the treated and 0%" in finding.sentence
    assert look(Missingness(), panel, "did").verdict == "good"


def test_little_time_before_treatment_is_named():
    assert look(TimeSupport(), block_panel(n=14, t=10, n_post=6)).verdict == "bad"
    assert look(TimeSupport(), block_panel(n=14, t=20, n_post=12)).verdict == "caution"
    assert look(TimeSupport(), block_panel(n=14, t=20, n_post=5)).verdict == "good"


def test_several_outcomes_raise_the_p_value(prop99):
    estimate = ESTIMATORS["sc"]().fit(prop99)
    rng = np.random.default_rng(0)
    said = METHODS["placebo_in_space"]().assess(estimate, level=0.9, rng=rng, progress=silent)
    assert Multiplicity().why_not(estimate) is not None
    few = Multiplicity(outcomes=2).examine(estimate, said, silent)
    assert few.table["holm_p_value"].tolist() == pytest.approx([2 * said.p_value, said.p_value])
    assert few.verdict == ("caution" if said.p_value <= 0.1 < 2 * said.p_value else "good")
    assert Multiplicity(outcomes=2).examine(estimate, None, silent).verdict == "unknown"


def test_honest_bounds_take_the_means_of_units():
    """In a block design the event study is four means, and its variance that of two samples."""
    rng = np.random.default_rng(5)
    W = np.zeros((30, 12), dtype=bool)
    W[:10, 8:] = True
    Y = rng.normal(size=(30, 1)) + rng.normal(size=12) + rng.normal(size=(30, 12)) + 3.0 * W
    panel = Panel(Y, W, pd.RangeIndex(30), pd.RangeIndex(12), "y")
    finding = look(HonestBounds(), panel, "did")
    study = finding.details["study"]
    columns = [2, 3, 4, 5, 6, 8, 9, 10, 11]
    changes = Y[:, columns] - Y[:, [7]]
    expected = changes[:10].mean(axis=0) - changes[10:].mean(axis=0)
    np.testing.assert_allclose(study.beta, expected, atol=1e-12)
    sigma = np.cov(changes[:10].T) / 10 + np.cov(changes[10:].T) / 20
    widened = (student.ppf(0.975, 9) / norm.ppf(0.975)) ** 2
    np.testing.assert_allclose(study.sigma, widened * sigma, atol=1e-12)
    # If trends were parallel: the usual interval, with the t reference of ten treated units.
    post = np.full(4, 0.25)
    half = student.ppf(0.975, 9) * np.sqrt(post @ sigma[5:, 5:] @ post)
    assert study.parallel(0.95) == pytest.approx(
        (expected[5:].mean() - half, expected[5:].mean() + half)
    )
    errors = finding.details["event_study"]["standard_error"]
    np.testing.assert_allclose(errors, np.sqrt(np.diag(sigma)), atol=1e-12)
    assert finding.verdict in ("good", "caution", "unknown")
    assert "10 treated units" in finding.sentence


def test_honest_bounds_tell_steps_from_noise():
    """The largest step before treatment is held against zero by Welch's t test, and Bonferroni."""
    rng = np.random.default_rng(8)
    W = np.zeros((30, 12), dtype=bool)
    W[:6, 8:] = True
    quiet = rng.normal(size=(30, 1)) + rng.normal(size=12) + 0.3 * rng.normal(size=(30, 12))
    jumpy = quiet + np.where(W.any(axis=1)[:, None] & (np.arange(12) == 5), 1.2, 0.0)
    verdicts = {}
    for name, Y in (("quiet", quiet), ("jumpy", jumpy)):
        panel = Panel(Y + 0.9 * W, W, pd.RangeIndex(30), pd.RangeIndex(12), "y")
        finding = look(HonestBounds(), panel, "did")
        steps = np.diff(panel.Y, axis=1)[:, 2:7]
        p_values = [ttest_ind(steps[:6, k], steps[6:, k], equal_var=False).pvalue for k in range(5)]
        assert finding.details["step_p"] == pytest.approx(min(1.0, 5 * min(p_values)))
        assert finding.details["breakdown"] < 1.0
        verdicts[name] = finding.verdict
        assert ("may be noise alone" in finding.sentence) == (name == "quiet")
    assert verdicts == {"quiet": "unknown", "jumpy": "caution"}


def test_honest_bounds_of_a_staggered_design_average_over_treated_units():
    panel = DESIGNS["staggered"]
    study = look(HonestBounds(), panel, "did").details["study"]
    never = panel.Y[8:].mean(axis=0)
    first = [
        panel.Y[row, start] - panel.Y[row, start - 1] - never[start] + never[start - 1]
        for start, rows in ((9, range(5)), (12, range(5, 8)))
        for row in rows
    ]
    assert study.beta[study.n_pre] == pytest.approx(np.mean(first))

"""The published tables: draws replayed, columns against slow references, and the verdicts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import nnls

from components.charts.keynote import keynote_dots
from components.charts.theme import LIGHT
from components.estimators import TROP
from components.simulation import replication_extra
from components.simulation.replication import generator, read, replicate, rmse, run, settings_of
from components.simulation.replication_designs import Design, Fit, cost, designs, staged
from components.simulation.replication_fits import FORMS, Draws, untuned_mc
from components.simulation.replication_verdicts import (
    AGREES,
    DIFFERS,
    EXTRA,
    NEAR,
    PRINTED,
    SIX,
    comparison,
    in_print,
    keynote,
)
from components.ui.keynote import sentences
from conftest import PUBLISHED

ROWS = {(design.table, design.row): design for design in designs()}
CPS = ROWS["1, raw", "log wage, minimum wage"]
NONE = (0.0, 0.0, np.inf)


@pytest.fixture(scope="module")
def folder():
    if not (PUBLISHED / "cps_rounded.csv").exists():
        pytest.skip("the published panels are not at hand (set PANELSCOPE_DATA)")
    return PUBLISHED


@pytest.fixture(scope="module")
def twenty(folder):
    source = generator(CPS, folder)
    return source.draw(20, source.stream())


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(6, 14, 1)) + rng.normal(size=(6, 14, 18)).cumsum(axis=2)
    treated = np.zeros((6, 14), dtype=bool)
    for k, n in enumerate((1, 2, 3, 1, 2, 3)):
        treated[k, rng.choice(14, size=n, replace=False)] = True
    return Draws(Y, treated, 5)


def penalised_simplex(A, b, ridge):
    """Least squares on the simplex, by non-negative least squares with a heavy row of ones."""
    heavy = 1e5
    rows = [A, np.sqrt(ridge) * np.eye(A.shape[1]), np.full((1, A.shape[1]), heavy)]
    target = np.concatenate([b, np.zeros(A.shape[1]), [heavy]])
    w = nnls(np.vstack(rows), target, maxiter=10_000)[0]
    return w / w.sum()


def blocks(draws):
    for Y, treated in zip(draws.Y, draws.treated, strict=True):
        yield Y, Y[treated].mean(axis=0), Y[~treated], treated


def test_published_draws_are_replayed(folder):
    """The loop of the published code, written out with numpy's own multivariate normal."""
    source = generator(CPS, folder)
    ours = source.draw(5, source.stream())
    model, chances = source.model, source.assignment.probabilities
    stream = np.random.RandomState(0)
    for k in range(5):
        noise = stream.multivariate_normal(np.zeros(40), model.covariance, size=50)
        np.testing.assert_allclose(ours.Y[k], model.systematic + noise, atol=1e-12)
        entered = np.flatnonzero(stream.binomial(n=1, p=chances))
        if len(entered) == 0:
            entered = np.array([stream.choice(50)])
        elif len(entered) > 10:
            entered = stream.choice(entered, size=10, replace=False)
        np.testing.assert_array_equal(np.flatnonzero(ours.treated[k]), np.sort(entered))


def test_a_design_is_a_world_without_effect(folder):
    source = generator(CPS, folder)
    panel, effects = source.world().draw(source.stream())
    first = source.draw(1, source.stream())
    np.testing.assert_array_equal(panel.Y, first.Y[0])
    np.testing.assert_array_equal(panel.design.treated, first.treated[0])
    assert panel.design.n_pre == 30
    assert not effects.any()


@pytest.mark.parametrize(
    ("row", "printed"),
    [("log wage, minimum wage", 0.04910175), ("log GDP, education", 0.17223327)],
)
def test_a_thousand_draws_give_the_printed_did(folder, row, printed):
    """Figures in the stored output of the published code, every digit."""
    source = generator(ROWS["1, raw", row], folder)
    found, _ = rmse(FORMS["did"](source.draw(1000, source.stream()), NONE))
    assert found == pytest.approx(printed, abs=1e-8)


@pytest.mark.parametrize("which", ["twenty", "small"])
def test_did_sc_and_difp_against_slow_references(which, request):
    draws = request.getfixturevalue(which)
    n, expected = draws.n_pre, {"did": [], "sc": [], "sc_intercept": []}
    for _, average, controls, _ in blocks(draws):
        gap = average - controls.mean(axis=0)
        expected["did"].append(gap[n:].mean() - gap[:n].mean())
        w = penalised_simplex(controls[:, :n].T, average[:n], 0.0)
        expected["sc"].append((average - w @ controls)[n:].mean())
        centred = controls[:, :n] - controls[:, :n].mean(axis=1, keepdims=True)
        w = penalised_simplex(centred.T, average[:n] - average[:n].mean(), 0.0)
        gap = average - w @ controls
        expected["sc_intercept"].append(gap[n:].mean() - gap[:n].mean())
    for form, values in expected.items():
        assert FORMS[form](draws, NONE) == pytest.approx(values, abs=2e-5), form


def slow_sdid(draws, power, ddof):
    found, n = [], draws.n_pre
    for _, average, controls, treated in blocks(draws):
        before, after = controls[:, :n], controls[:, n:].mean(axis=1)
        noise = np.diff(before, axis=1).var(ddof=ddof)
        ridge = n * np.sqrt(treated.sum() * draws.n_post) * noise
        centred = before - before.mean(axis=1, keepdims=True)
        omega = penalised_simplex(centred.T, average[:n] - average[:n].mean(), ridge)
        lam = penalised_simplex(before - before.mean(axis=0), after - after.mean(), 0.0)
        omega, lam = omega**power, lam**power
        gap = average - omega / omega.sum() @ controls
        found.append(gap[n:].mean() - lam / lam.sum() @ gap[:n])
    return np.array(found)


@pytest.mark.parametrize("which", ["twenty", "small"])
def test_squared_weights_against_a_slow_reference(which, request):
    draws = request.getfixturevalue(which)
    assert FORMS["sdid_squared"](draws, NONE) == pytest.approx(slow_sdid(draws, 2, 0), abs=2e-5)
    assert FORMS["sdid"](draws, NONE) == pytest.approx(slow_sdid(draws, 1, 1), abs=2e-5)


def slow_common_effect(Y, treated, n_post, penalties, steps=4000):
    """Minimise sum (delta r)^2 + nn |L|_* by proximal gradient; effects refitted in each step."""
    unit, when, nn = penalties
    N, T = Y.shape
    average = Y[treated].mean(axis=0)[: T - n_post]
    distance = np.sqrt(((Y[:, : T - n_post] - average) ** 2).mean(axis=1))
    late = np.exp(-when * np.abs(np.arange(T) - (T - n_post / 2)))
    delta = np.outer(np.exp(-unit * distance), late)
    W = np.zeros((N, T))
    W[treated, T - n_post :] = 1.0
    X = np.column_stack(
        [np.kron(np.eye(N), np.ones((T, 1))), np.kron(np.ones((N, 1)), np.eye(T)), W.ravel()]
    )
    root = delta.ravel()
    inverse = np.linalg.pinv(X * root[:, None])
    weights, L = delta**2, np.zeros((N, T))
    step = 1.0 / (2.0 * weights.max())
    momentum, t = L, 1.0
    for _ in range(steps):
        rest = Y - momentum
        fitted = (X @ (inverse @ (rest.ravel() * root))).reshape(N, T)
        U, s, V = np.linalg.svd(momentum + 2.0 * step * weights * (rest - fitted), False)
        new = (U * np.maximum(s - nn * step, 0.0)) @ V
        t, before = (1.0 + np.sqrt(1.0 + 4.0 * t * t)) / 2.0, t
        momentum, L = new + (before - 1.0) / t * (new - L), new
    return (inverse @ ((Y - L).ravel() * root))[-1]


@pytest.mark.parametrize("penalties", [(0.2, 0.1, 1.0), (0.0, 0.0, 1.5)])
def test_common_effects_against_a_slow_reference(small, penalties):
    form = "trop_published" if penalties[0] else "mc_untuned"
    expected = [
        slow_common_effect(Y, treated, small.n_post, penalties)
        for Y, treated in zip(small.Y[:3], small.treated[:3], strict=True)
    ]
    assert FORMS[form](small.first(3), penalties) == pytest.approx(expected, abs=2e-4)


def test_closed_form_of_untuned_completion_is_that_of_trop(small):
    fixed = TROP("block_tau", 0.0, 0.0, 0.8, squared_weights=True, scale="all")
    expected = []
    for panel in small.panels:
        standard = panel.with_outcomes((panel.Y - panel.Y.mean()) / panel.Y.std())
        effect = fixed.fit(standard).details["common_effect"]
        expected.append(effect * panel.Y.std())
    scaled = [
        untuned_mc(small.__class__(small.Y[[k]], small.treated[[k]], 5), (0.0, 0.0, 0.8 * Y.std()))[
            0
        ]
        for k, Y in enumerate(small.Y)
    ]
    assert scaled == pytest.approx(expected, abs=1e-4)


def test_a_row_is_deterministic_and_starts_with_the_same_draws(folder):
    few = (Fit("DID", "did", n_draws=30), Fit("SC", "sc", n_draws=10))
    design = Design("t", "r", "germany", "", few, assignment="random")
    one, two = replicate(design, folder), replicate(design, folder)
    pd.testing.assert_frame_equal(one.drop(columns="seconds"), two.drop(columns="seconds"))
    assert list(one["n_draws"]) == [30, 10]
    source = generator(design, folder)
    draws = source.draw(30, source.stream())
    assert one["value"][0] == pytest.approx(rmse(FORMS["did"](draws, NONE))[0], rel=1e-12)
    assert one["value"][1] == pytest.approx(rmse(FORMS["sc"](draws.first(10), NONE))[0], rel=1e-12)


def test_own_streams_do_not_depend_on_other_rows(folder):
    design = ROWS["SDID 2 and 3", "200 units"]
    source = generator(design, folder)
    one, two = (source.draw(2, source.stream()) for _ in range(2))
    np.testing.assert_array_equal(one.Y, two.Y)
    assert one.Y.shape == (2, 200, 40)
    assert one.treated.sum(axis=1).max() <= 20


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    wanted = tuple(Design("t", f"row {k}", "germany", "", ()) for k in range(3))
    path, calls = tmp_path / "results.csv", []

    def simulate(missing):
        for design in missing:
            if len(calls) == 2 and len(missing) > 1:
                return
            calls.append(design.row)
            line = ["t", design.row, "DID", "did", 0.5, 0.1, 0.0, 9, "own", settings_of(design), 1]
            yield design, pd.DataFrame([line], columns=read(path).columns)

    assert len(run(wanted, simulate, lambda _: None, path)) == 2
    assert len(run(wanted, simulate, lambda _: None, path)) == 3
    assert calls == ["row 0", "row 1", "row 2"]
    changed = (Design("t", "row 0", "germany", "", (), n_post=5), *wanted[1:])
    run(changed, simulate, lambda _: None, path)
    assert calls == ["row 0", "row 1", "row 2", "row 0"]


def stored_lines(tmp_path, *lines):
    columns = ["table", "row", "column", "form", "value", "mc_error"]
    table = pd.DataFrame(lines, columns=columns)
    table = table.assign(bias=0.0, n_draws=1000, stream="replayed", settings="x", seconds=0.0)
    table.to_csv(tmp_path / "results.csv", index=False)
    table.head(0).to_csv(tmp_path / "extra.csv", index=False)
    found = comparison(tmp_path / "results.csv", tmp_path / "extra.csv")
    return dict(zip(found["column"], found["verdict"], strict=True))


def test_stages_hold_every_column_once():
    for design in ROWS.values():
        parts = staged((design,))
        assert {fit for part in parts for fit in part.fits} == set(design.fits)
        assert sum(len(part.fits) for part in parts) == len(design.fits)
        assert [cost(part) for part in parts] == sorted(cost(part) for part in parts)


def test_verdicts(tmp_path):
    row = ("1, raw", "log wage, minimum wage")
    verdicts = stored_lines(
        tmp_path,
        (*row, "DID", "did", 0.0491018, 0.001),
        (*row, "SC", "sc", 0.03720, 0.001),
        (*row, "DIFP", "sc_intercept", 0.04, 0.001),
        (*row, "TROP", "trop_published", 0.02578, 0.0001),
        (*row, "MC", "mc_untuned", 0.0327, 0.00001),
    )
    assert verdicts == {
        "DID": AGREES,
        "SC": NEAR,
        "DIFP": DIFFERS,
        "TROP": AGREES,
        "MC": DIFFERS,
    }


def test_ratios_are_made_where_ratios_are_printed():
    lines = pd.DataFrame(
        {
            "table": ["5 A"] * 2 + ["1, other panels"] * 2,
            "row": ["x"] * 4,
            "column": ["TROP", "DID", "TROP", "SDID as defined"],
            "value": [2.0, 5.0, 3.0, 1.5],
            "mc_error": [0.1, 0.1, 0.1, 0.1],
        }
    )
    assert list(in_print(lines)["ours"]) == [1.0, 2.5, 1.0, 0.5]


def test_every_printed_number_has_its_row():
    printed = pd.read_csv(PRINTED)
    known = {(design.table, design.row) for design in designs()}
    known |= {(study.table, study.row) for study in replication_extra.studies(designs())}
    assert set(zip(printed["table"], printed["row"], strict=True)) <= known


def test_the_keynote_table_is_whole():
    table = keynote()
    assert set(table["estimator"]) == set(SIX)
    assert not table.duplicated(["row", "estimator", "series"]).any()
    assert (table.groupby(["row", "series"])["relative"].min() == 1.0).all()
    counts = table.groupby("series")["row"].nunique()
    assert counts["printed"] == 9


def test_stored_numbers_are_those_of_the_code(folder):
    """Fast columns of one committed row, drawn again."""
    stored = read()
    row = ROWS["2 top", "Germany"]
    part = stored[(stored["table"] == row.table) & (stored["row"] == row.row)]
    if part.empty:
        pytest.skip("the row is not simulated yet: make tables")
    assert set(part["settings"]) <= {settings_of(stage) for stage in staged((row,))}
    source = generator(row, folder)
    draws = source.draw(1000, source.stream())
    for column, form in (("DID", "did"), ("SC", "sc")):
        value = float(part.loc[part["column"] == column, "value"].iloc[0])
        assert rmse(FORMS[form](draws, NONE))[0] == pytest.approx(value, abs=1e-7)


def test_shares_of_weight_are_the_stored_output_of_the_published_code(folder):
    """Germany: .49713864, .36623512, .55457779 in the stored notebook of table 6."""
    study = next(s for s in replication_extra.studies(designs()) if s.row == "Germany")
    values = replication_extra.simulate(study, folder)["value"]
    assert list(values) == pytest.approx([0.49713864, 0.36623512, 0.55457779], abs=1e-8)


# Another program on the same 1,000 draws.
SDID_AS_DEFINED = {
    "CPS log wage": 0.027381,
    "CPS unemployment": 0.222992,
    "Penn World Table": 0.031208,
    "Germany": 0.036658,
    "Basque": 0.068791,
    "Smoking": 0.103622,
}


def test_sdid_as_defined_is_that_of_an_independent_run():
    stored = read()
    here = (stored["table"] == "2 top") & (stored["column"] == "SDID as defined")
    found = stored[here].set_index("row")["value"]
    for row, value in SDID_AS_DEFINED.items():
        assert found[row] == pytest.approx(value, abs=1e-5), row


def test_switching_treatment_orders_the_methods_as_the_reference_run():
    """TROP (1, .3, 1) below the best matrix completion, and that below two-way effects."""
    stored = read(EXTRA)
    for row in ("Bernoulli, cells", "Markov, cells"):
        part = stored[stored["row"] == row].set_index("column")["value"]
        best = part[part.index.str.startswith("MC ")].min()
        assert part["TROP (1, .3, 1)"] < best < part["TWFE"]


def test_sentences_count_what_is_there():
    rmse_of = {"TROP": (1.0, 2.1), "SDID": (2.0, 2.0), "SC": (3.0, 3.0)}
    rmse_of |= dict.fromkeys(("DID", "MC", "DIFP"), (4.0, 4.0))
    lines = [
        (row, name, series, values[k] * (1.02 if series == "printed" and name == "SC" else 1.0))
        for series in ("printed", "replicated")
        for k, row in enumerate(("a", "b"))
        for name, values in rmse_of.items()
    ]
    table = pd.DataFrame(lines, columns=["row", "estimator", "series", "rmse"])
    said = sentences(table.assign(mc_error=0.1), "replicated")
    assert said[0] == "Smallest error, of two rows: TROP in one, SDID in one."
    assert "In one of them" in said[1]
    assert said[1].endswith("tied: “b”.")
    assert "50% to 50% smaller" in said[2]
    assert "10 of the 12 numbers" in said[3]
    assert said[4].startswith("SC in “a” is 2.0% below it on the same draws")


def test_the_figure_shows_print_hollow_and_ours_filled():
    table = keynote()
    figure = keynote_dots(table, "replicated", LIGHT)
    hollow = [trace for trace in figure.data if trace.marker.symbol.endswith("-open")]
    assert len(hollow) == len(figure.data) / 2 == 6
    assert all(len(trace.x) == 9 for trace in hollow)
    assert min(min(trace.x) for trace in hollow) == 1.0

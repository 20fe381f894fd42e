import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import nnls

from components.data.samples import FOLDER, SAMPLES, read_sample
from components.errors import SpecError
from components.panel import Panel

KEYS = ["prop99", "brexit", "castle", "texas", "geo", "onoff", "staggered"]
SIMULATED = ["geo", "onoff", "staggered"]


def matrix(key, column):
    """Lay one column of a sample out as units by periods."""
    sample = SAMPLES[key]
    table = read_sample(key).set_index([sample.unit, sample.time])
    return table[column].unstack()  # noqa: PD010 (pivot_table would average repeated rows)


def twfe(Y, D):
    """Regress Y on D with unit and period effects: a balanced panel needs only demeaning."""
    within = D - D.mean(axis=1, keepdims=True) - D.mean(axis=0) + D.mean()
    return (within * Y).sum() / (within * D).sum()


def imputed_att(Y, D, weights=None):
    """Fit unit and period effects to untreated cells and average what treated cells have more."""
    n, t = Y.shape
    X = np.hstack([np.kron(np.eye(n), np.ones((t, 1))), np.kron(np.ones((n, 1)), np.eye(t)[:, 1:])])
    y, treated = Y.ravel(), D.ravel() == 1
    w = np.ones(n * t) if weights is None else weights.ravel()
    root = np.sqrt(w[~treated])
    beta = np.linalg.lstsq(X[~treated] * root[:, None], y[~treated] * root, rcond=None)[0]
    return np.average(y[treated] - X[treated] @ beta, weights=w[treated])


def arrays(key):
    sample = SAMPLES[key]
    return matrix(key, sample.outcome).to_numpy(float), matrix(key, sample.treatment).to_numpy()


def test_the_catalog_is_in_the_order_of_the_screen_and_frozen():
    assert list(SAMPLES) == KEYS
    assert all(sample.key == key for key, sample in SAMPLES.items())
    with pytest.raises(TypeError):
        SAMPLES["more"] = SAMPLES["prop99"]


@pytest.mark.parametrize("key", ["nothing", "", "../prop99", "prop99.csv", "/etc/passwd", "PROP99"])
def test_an_unknown_key_is_refused_by_name(key):
    with pytest.raises(SpecError) as caught:
        read_sample(key)
    assert repr(key) in caught.value.message
    assert all(known in caught.value.hint for known in KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_the_file_is_plain_and_sorted(key):
    sample = SAMPLES[key]
    raw = sample.path.read_bytes()
    raw.decode("utf-8")
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    table = read_sample(key)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", column) for column in table.columns)
    named = {sample.unit, sample.time, sample.outcome, sample.treatment, *sample.covariates}
    assert named <= set(table.columns)
    pair = [sample.unit, sample.time]
    assert not table.duplicated(pair).any()
    assert table[pair].equals(table[pair].sort_values(pair).reset_index(drop=True))


@pytest.mark.parametrize("key", KEYS)
def test_the_panel_is_balanced_and_of_the_stated_design(key):
    sample, table = SAMPLES[key], read_sample(key)
    panel = Panel.from_long(
        table,
        unit=sample.unit,
        time=sample.time,
        outcome=sample.outcome,
        treatment=sample.treatment,
    )
    assert panel.observed.all()
    assert len(table) == panel.Y.size
    assert panel.design.kind == sample.design
    assert panel.design.n_pre >= 5


TREATED = {
    "prop99": ((39, 31), {"1989": ["California"]}),
    "brexit": ((19, 46), {"2016Q3": ["United Kingdom"]}),
    "texas": ((51, 16), {"1993": ["Texas"]}),
    "geo": ((40, 112), {"2024-04-08": ["Leipzig", "Rotterdam"]}),
    # Year in which each law took effect; bacondecomp's printed figures (below) need these.
    "castle": (
        (50, 11),
        {
            "2005": ["Florida"],
            "2006": [
                "Alabama", "Alaska", "Arizona", "Georgia", "Indiana", "Kansas", "Kentucky",
                "Louisiana", "Michigan", "Mississippi", "Oklahoma", "South Carolina",
                "South Dakota",
            ],
            "2007": ["Missouri", "North Dakota", "Tennessee", "Texas"],
            "2008": ["Ohio", "West Virginia"],
            "2009": ["Montana"],
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("key", TREATED)
def test_who_is_treated_and_from_when(key):
    shape, cohorts = TREATED[key]
    W = matrix(key, SAMPLES[key].treatment)
    assert W.shape == shape
    first = W.idxmax(axis=1)[W.any(axis=1)].astype(str)
    assert {start: sorted(group.index) for start, group in first.groupby(first)} == cohorts


def test_times_stay_as_written():
    forms = {
        "brexit": r"\d{4}Q[1-4]",
        "geo": r"\d{4}-\d\d-\d\d",
        "onoff": r"\d{4}-\d\d-\d\d",
        "staggered": r"\d{4}-\d\d",
    }
    for key, sample in SAMPLES.items():
        times = read_sample(key)[sample.time]
        if key in forms:
            assert times.str.fullmatch(forms[key]).all()
        else:
            assert times.dtype == np.int64


def test_the_readme_names_every_file_column_and_key():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for key, sample in SAMPLES.items():
        assert f"`{key}`" in text
        assert f"`{sample.file}`" in text
        assert all(f"`{column}`" in text for column in read_sample(key).columns)
    assert {path.name for path in FOLDER.glob("*.csv")} == {s.file for s in SAMPLES.values()}


# --- Published panels ----------------------------------------------------------------------------


def test_prop99_equals_the_file_of_synthdid(published):
    ours = read_sample("prop99")
    theirs = published("california_prop99.csv")
    assert ours[["state", "year", "treated"]].equals(theirs[["state", "year", "treated"]])
    # 2e-5: both were widened from 32-bit floats, 24 bits of a number up to 300.
    gap = (ours["packs_per_capita"] - theirs["packs_per_capita"]).abs()
    assert gap.max() < 2e-5


def test_prop99_did():
    Y, D = arrays("prop99")
    # Arkhangelsky et al. (2021), table 1: -27.3; to four decimals by the R package synthdid.
    assert twfe(Y, D) == pytest.approx(-27.3491, abs=5e-5)


def test_brexit_is_an_index_of_the_last_untreated_quarter():
    index = matrix("brexit", "gdp_index")
    assert (index["2016Q2"] == 100).all()
    assert index.columns[0] == "2008Q3"
    assert index.columns[-1] == "2019Q4"
    assert not {"Spain", "Iceland"} & set(index.index)


# First and fifth of the rows that CausalPy's notebook on Brexit prints: 2009Q1 and 2010Q1.
PRINTED_GDP = {
    "Australia": (3.84048, 3.92716),
    "Canada": (16.93824, 17.23041),
    "Germany": (6.63471, 6.78621),
    "Luxembourg": (0.114836, 0.121414),
    "New Zealand": (0.47336, 0.49349),
    "Norway": (7.78753, 7.87891),
    "Sweden": (10.32220, 10.64833),
    "United Kingdom": (4.61881, 4.65380),
}


@pytest.mark.parametrize("country", PRINTED_GDP)
def test_brexit_grows_as_causalpy_prints(country):
    first, last = PRINTED_GDP[country]
    index = matrix("brexit", "gdp_index").loc[country]
    # 2e-5: the print has five significant digits or more, the index six.
    assert index["2010Q1"] / index["2009Q1"] == pytest.approx(last / first, rel=2e-5)


def test_brexit_seasons_are_adjusted_in_every_country_kept():
    growth = np.log(matrix("brexit", "gdp_index")).diff(axis=1).iloc[:, 1:].T
    quarter = growth.index.str[-1]
    within = growth - growth.groupby(quarter).transform("mean")
    assert (1 - within.var() / growth.var()).max() < 0.10


def test_brexit_synthetic_control_is_in_the_published_range():
    index = matrix("brexit", "gdp_index")
    before = index.columns < "2016Q3"
    donors = index.drop("United Kingdom").to_numpy()
    own = index.loc["United Kingdom"].to_numpy()
    # Least squares on the simplex: non-negative, and a heavy row for the sum.
    A = np.vstack([donors[:, before].T, np.full(len(donors), 1e5)])
    weights = nnls(A, np.append(own[before], 1e5))[0]
    assert weights.sum() == pytest.approx(1, abs=1e-6)
    synthetic = weights @ donors
    shortfall = 100 * (1 - own / synthetic)[list(index.columns).index("2018Q4")]
    # Born et al. (2019), abstract: 1.7 to 2.5 % by the end of 2018. Other data and donors, so
    # their range is the tolerance.
    assert 1.7 <= shortfall <= 2.5


def test_castle_two_way_fixed_effects():
    Y, D = arrays("castle")
    # Vignette of the R package bacondecomp; 1e-7 for logs kept as 32-bit floats.
    assert twfe(Y, D) == pytest.approx(0.0818116169306475, abs=1e-7)


def test_castle_largest_two_by_two():
    Y, D = arrays("castle")
    years = matrix("castle", "treated").columns
    cohort = D.any(axis=1) & (years[D.argmax(axis=1)] == 2006)
    change = Y[:, years >= 2006].mean(axis=1) - Y[:, years < 2006].mean(axis=1)
    gap = change[cohort].mean() - change[~D.any(axis=1)].mean()
    # Same vignette: 2006 against never treated.
    assert gap == pytest.approx(0.06823587, abs=1e-7)


def test_castle_two_stage_did_on_whole_years():
    Y, weights = arrays("castle")[0], matrix("castle", "population_weight").to_numpy(float)
    full_year = matrix("castle", "full_year").to_numpy()
    # Vignette of the R package did2s, which prints six decimals.
    assert imputed_att(Y, full_year, weights) == pytest.approx(0.075142, abs=6e-7)


def test_castle_columns_agree_with_each_other():
    table = read_sample("castle")
    # 1e-6: logs near 2 as 32-bit floats.
    gap = np.log(table["homicide_per_100k"]) - table["log_homicide"]
    assert gap.abs().max() < 1e-6
    treated, full = matrix("castle", "treated"), matrix("castle", "full_year")
    assert (full.iloc[:, 1:].to_numpy() == treated.iloc[:, :-1].to_numpy()).all()


def test_texas_under_the_weights_of_pysyncon():
    counts = matrix("texas", "black_men_in_prison")
    weights = {
        "California": 0.407651414,
        "Florida": 0.110543548,
        "Illinois": 0.36027434,
        "Louisiana": 0.121530698,
    }
    synthetic = sum(weight * counts.loc[state] for state, weight in weights.items())
    gap = (counts.loc["Texas"] - synthetic).loc[1993:]
    # tests/test_synth_texas.py of pysyncon. Its weights and effect come from different runs of an
    # optimiser and are compared there to 2.5 %; here 0.02 % is enough.
    assert gap.mean() == pytest.approx(20339.375838, rel=2e-4)
    assert gap.std() / np.sqrt(len(gap)) == pytest.approx(3190.49467887, rel=2e-4)


def test_texas_gaps_in_the_data_are_those_of_the_readme():
    table = read_sample("texas")
    assert table["white_men_in_prison"].isna().sum() == 14
    assert table["black_men_in_prison"].notna().all()
    vermont = matrix("texas", "black_men_in_prison").loc["Vermont"]
    assert list(vermont.index[vermont == 0]) == list(range(1985, 1994))


# --- Simulated panels ----------------------------------------------------------------------------


def test_the_simulated_files_come_from_the_script(tmp_path):
    script = FOLDER / "make_simulated.py"
    subprocess.run([sys.executable, str(script), "--out", str(tmp_path)], check=True)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {SAMPLES[key].file: SAMPLES[key].path.read_bytes() for key in SIMULATED}


TRUTH = {"geo": "119.1", "onoff": "5.54", "staggered": "7.92"}


@pytest.mark.parametrize("key", SIMULATED)
def test_the_truth_is_what_the_catalog_says(key):
    sample, table = SAMPLES[key], read_sample(key)
    treated = table[sample.treatment] == 1
    assert (table.loc[~treated, "true_effect"] == 0).all()
    assert (table.loc[treated, "true_effect"] != 0).all()
    assert sample.true_effect == "true_effect"
    truth = table.loc[treated, "true_effect"].mean()
    assert f"{abs(truth):.{len(TRUTH[key].partition('.')[2])}f}" == TRUTH[key]
    assert TRUTH[key] in sample.known


@pytest.mark.parametrize("key", SIMULATED)
def test_two_way_imputation_comes_near_the_truth(key):
    Y, D = arrays(key)
    truth = matrix(key, "true_effect").to_numpy()[D == 1].mean()
    # A tenth: the files are fixed, so this guards against a slip in the script, not chance.
    assert imputed_att(Y, D) == pytest.approx(truth, rel=0.1)


def test_geo_lift_is_six_per_cent():
    Y, D = arrays("geo")
    effect = matrix("geo", "true_effect").to_numpy()[D == 1]
    untreated = Y[D == 1] - effect
    # Whole orders: half an order off at most, on each of about 2,000.
    assert np.abs(effect - 0.06 * untreated).max() <= 0.5


def test_onoff_needs_more_than_a_comparison_of_means():
    Y, D = arrays("onoff")
    truth = matrix("onoff", "true_effect").to_numpy()[D == 1].mean()
    assert Y[D == 1].mean() - Y[D == 0].mean() > 1.5 * truth
    assert (~D.any(axis=1)).sum() == 12
    assert ((np.diff(D, axis=1) == 1).sum(axis=1)[D.any(axis=1)] >= 2).all()


def test_staggered_effects_grow_and_mislead_two_way_fixed_effects():
    Y, D = arrays("staggered")
    effect = matrix("staggered", "true_effect").to_numpy()
    truth = effect[D == 1].mean()
    assert abs(twfe(Y, D)) < 0.7 * abs(truth)
    starts = D.argmax(axis=1)
    waves = sorted(set(starts[D.any(axis=1)]))
    assert waves == [12, 18, 24, 30]
    after_a_year = [effect[D.any(axis=1) & (starts == start), start + 11] for start in waves]
    assert [float(np.unique(wave)[0]) for wave in after_a_year] == [-14.4, -10.8, -7.2, -4.8]
    assert all(len(np.unique(wave)) == 1 for wave in after_a_year)
    first = effect[D.any(axis=1) & (starts == 12)][0, 12:24]
    assert (pd.Series(-first).diff().dropna() > 0).all()

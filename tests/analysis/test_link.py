"""A link holds the whole analysis, and nothing in it is ignored."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.analysis import AnalysisSpec, Treatment, from_query, sample_spec, to_query
from components.analysis.codec import read_method, write_method
from components.data import ENCODINGS, SAMPLES, Reading, Roles
from components.data.sources import AGGREGATES, TRUNCATIONS, SourceQuery
from components.errors import SpecError
from components.estimators import ESTIMATORS, SyntheticDID
from components.inference import METHODS, Conformal, PlaceboInSpace

NAMES = st.text(min_size=1, max_size=12)


def through(spec):
    query = to_query(spec)
    return from_query({k: v if isinstance(v, list) else [v] for k, v in query.items()})


SPECS = st.builds(
    AnalysisSpec,
    source=st.sampled_from([*(f"sample:{key}" for key in SAMPLES), "sha256:" + "0af9" * 16]),
    columns=st.builds(
        Roles,
        NAMES,
        NAMES,
        NAMES,
        st.none() | NAMES,
        covariates=st.lists(NAMES).map(tuple),
        treatment_kind=st.sampled_from(["flag", "start"]),
        decimal=st.sampled_from([None, ".", ","]),
        date_order=st.sampled_from([None, "day first", "month first", "year first"]),
        treated_values=st.lists(NAMES, max_size=3).map(tuple),
        post=st.none() | NAMES,
        duplicates=st.sampled_from([None, "first", "mean", "sum"]),
        gaps=st.sampled_from([None, "drop_units", "drop_periods", "interpolate"]),
        shape=st.sampled_from([None, "periods in columns", "units in columns"]),
        reading=st.builds(
            Reading,
            encoding=st.sampled_from([None, *ENCODINGS]),
            sheet=st.none() | NAMES,
            header=st.none() | st.integers(0, 99),
            header_rows=st.none() | st.integers(1, 5),
            query=st.none()
            | st.builds(
                SourceQuery,
                source=NAMES,
                unit=NAMES.map("u".__add__),
                time=NAMES.map("t".__add__),
                outcome=NAMES.map("y".__add__),
                treatment=st.none() | NAMES.map("w".__add__),
                aggregate=st.sampled_from([*AGGREGATES]),
                truncation=st.sampled_from([*TRUNCATIONS]),
            ),
        ),
    ),
    treatment=st.none()
    | st.builds(Treatment, st.lists(NAMES, min_size=1, max_size=3).map(tuple), NAMES),
    window=st.none() | st.tuples(NAMES, NAMES),
    dropped=st.lists(NAMES, max_size=4).map(tuple),
    estimator=st.sampled_from([cls() for cls in ESTIMATORS.values()])
    | st.builds(SyntheticDID, ridge_scale=st.floats(0, 100)),
    inference=st.none()
    | st.sampled_from([cls() for cls in METHODS.values()])
    | st.builds(PlaceboInSpace, max_mspe_ratio=st.floats(1, 50), n_draws=st.integers(1, 9999)),
    level=st.sampled_from([0.8, 0.9, 0.95, 0.975, 0.99]),
    seed=st.integers(0, 2**31),
)


@given(SPECS)
def test_every_spec_survives_the_address_bar(spec):
    assert through(spec) == spec


@pytest.mark.parametrize("key", SAMPLES)
def test_a_sample_as_it_opens_is_a_short_link(key):
    assert to_query(sample_spec(key)) == {"v": "1", "data": key}


def test_names_with_any_punctuation_survive():
    spec = sample_spec("prop99").with_(
        treatment=Treatment(("a&b=c", "d,e;f", "ü%20"), "1989"), dropped=("x(y='z')", "")
    )
    assert through(spec) == spec


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"data": ["prop99"], "colour": ["red"]}, "'colour'"),
        ({"data": ["propp99"]}, "no sample named 'propp99'"),
        ({"data": ["sha256-12"]}, "no sample named 'sha256-12'"),
        ({}, "names no data"),
        ({"v": ["2"], "data": ["prop99"]}, "version '2'"),
        ({"data": ["prop99", "geo"]}, "'data' 2 times"),
        ({"data": ["prop99"], "estimator": ["ols"]}, "no estimator named 'ols'"),
        ({"data": ["prop99"], "estimator": ["sdid(zeta=1)"]}, "no option 'zeta'"),
        ({"data": ["prop99"], "estimator": ["sdid(ridge_scale='a')"]}, "cannot be 'a'"),
        ({"data": ["prop99"], "estimator": ["__import__('os')"]}, "cannot be read"),
        ({"data": ["prop99"], "estimator": ["sdid(ridge_scale=open('x'))"]}, "cannot be read"),
        ({"data": ["prop99"], "inference": ["bayes"]}, "no inference method named 'bayes'"),
        ({"data": ["prop99"], "level": ["many"]}, "level is 'many'"),
        ({"data": ["prop99"], "level": ["1.5"]}, "level 1.5"),
        ({"data": ["prop99"], "level": ["nan"]}, "level nan"),
        ({"data": ["prop99"], "seed": ["-1"]}, "seed -1"),
        ({"data": ["prop99"], "treated": ["Utah"]}, "only half of the treatment"),
        ({"data": ["prop99"], "from": ["1980"]}, "only half of the treatment"),
        ({"data": ["prop99"], "first": ["1980"]}, "one end of the window"),
        ({"data": ["sha256-" + "0" * 64]}, "which column is the unit"),
        ({"data": ["prop99"], "duplicates": ["last"]}, "duplicates is 'last'"),
        ({"data": ["prop99"], "gaps": ["guess"]}, "gaps is 'guess'"),
        ({"data": ["prop99"], "shape": ["round"]}, "shape is 'round'"),
        ({"data": ["prop99"], "encoding": ["klingon"]}, "no encoding 'klingon'"),
        ({"data": ["prop99"], "header": ["top"]}, "header is 'top'"),
        ({"data": ["prop99"], "header": ["-1"]}, "on line -1"),
        ({"data": ["prop99"], "query": ["sales"]}, "no query of a source"),
        ({"data": ["prop99"], "query": ['{"source": "a", "unit": 1}']}, "no query of a source"),
        (
            {"data": ["prop99"], "query": ['{"source": "a", "unit": 1, "time": 2, "outcome": 3}']},
            "no query of a source",
        ),
        ({"data": ["prop99"], "query": ['{"source": "a", "url": "b"}']}, "no query of a source"),
    ],
)
def test_what_is_not_understood_is_named(query, words):
    with pytest.raises(SpecError) as caught:
        from_query(query)
    assert words in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("method", "text"),
    [
        (SyntheticDID(), "sdid"),
        (SyntheticDID(ridge_scale=0.5), "sdid(ridge_scale=0.5)"),
        (PlaceboInSpace(statistic="gap"), "placebo_in_space(statistic='gap')"),
        (Conformal(n_grid=9), "conformal(n_grid=9)"),
    ],
)
def test_methods_are_written_with_the_options_that_differ(method, text):
    assert write_method(method) == text
    assert read_method(text, {**ESTIMATORS, **METHODS}, "method") == method


def test_the_link_of_a_source_holds_what_was_asked_and_no_address():
    query = SourceQuery("sales", "shop", "day", "amount", "open_late", truncation="month")
    roles = Roles("shop", "day", "amount", "open_late", reading=Reading(query=query))
    words = to_query(AnalysisSpec(source="sha256:" + "0af9" * 16, columns=roles))
    assert json.loads(words["query"]) == {
        "source": "sales",
        "unit": "shop",
        "time": "day",
        "outcome": "amount",
        "treatment": "open_late",
        "aggregate": "sum",
        "truncation": "month",
    }

"""What pages show beside the analysis stands in the link, and nothing in it is passed over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.analysis import sample_spec, to_query
from components.analysis.link import read_link
from components.analysis.views import (
    CHOICES,
    DRAWS,
    MSPE_LIMITS,
    PowerView,
    Views,
    WorldView,
    views_from_query,
    views_to_query,
)
from components.diagnostics import DIAGNOSTICS
from components.errors import SpecError
from components.simulation.heteroskedastic import KINDS
from components.simulation.power import PowerStudy
from components.simulation.teaching import WORLDS

LARGEST = st.integers(2, 16).map(lambda steps: steps / 2)
POWERS = LARGEST.flatmap(
    lambda largest: st.builds(
        PowerView,
        st.sampled_from(list(KINDS)),
        st.integers(5, 100),
        st.integers(5, 100),
        st.just(largest),
        st.sampled_from(DRAWS),
        st.integers(0, 2**31 - 1),
        st.integers(0, int(2 * largest)).map(lambda steps: steps / 2),
    )
)
WORLD_VIEWS = st.builds(
    WorldView,
    st.sampled_from(list(WORLDS)),
    st.floats(0.001, 100.0),
    st.integers(2, 1000),
    st.integers(0, 2**40),
)
CHECKS = st.tuples(
    st.integers(1, 60).map(lambda n: DIAGNOSTICS["backdating"](periods=n)),
    st.sampled_from(MSPE_LIMITS[1:]).map(lambda n: DIAGNOSTICS["placebo_units"](max_mspe_ratio=n)),
    st.integers(1, 50).map(lambda n: DIAGNOSTICS["multiplicity"](outcomes=n)),
)


def lists(query):
    return {word: value if isinstance(value, list) else [value] for word, value in query.items()}


@given(
    POWERS,
    st.none() | WORLD_VIEWS,
    st.just(()) | CHECKS,
    st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in CHOICES.items()}),
)
def test_every_view_survives_the_address_bar_beside_its_analysis(power, world, checks, choices):
    views, spec = Views(power, world, checks, **choices), sample_spec("geo")
    query = lists(to_query(spec) | views_to_query(views))
    assert read_link(query) == (spec, views)


def test_a_page_as_it_opens_adds_nothing_to_the_link():
    assert views_to_query(Views()) == {}
    assert Views().power.study == PowerStudy(("two-way",))


@pytest.mark.parametrize(
    ("word", "value", "said"),
    [
        ("simulate", "weak", "no simulation named 'weak'"),
        ("simulate", "power(units=4)", "units cannot be 4"),
        ("simulate", "power(units=7.5)", "units cannot be 7.5"),
        ("simulate", "power(periods=101)", "periods cannot be 101"),
        ("simulate", "power(largest=0.7)", "largest cannot be 0.7"),
        ("simulate", "power(largest=1e999)", "largest cannot be inf"),
        ("simulate", "power(largest=2,effect=2.5)", "effect cannot be 2.5"),
        ("simulate", "power(draws=3)", "draws cannot be 3"),
        ("simulate", "power(seed=-1)", "seed cannot be -1"),
        ("simulate", "power(kind='odd')", "kind cannot be 'odd'"),
        ("simulate", "power(colour=3)", "no option 'colour'"),
        ("world", "study(world='flat')", "world of a study cannot be 'flat'"),
        ("world", "study(effect=0)", "effect of a study cannot be 0"),
        ("world", "study(draws=2.5)", "draws of a study cannot be 2.5"),
        ("check", "fit", "no adjustable check named 'fit'"),
        ("check", "backdating(periods=0)", "cannot have periods 0"),
        ("check", "backdating(periods=2.5)", "cannot have periods 2.5"),
        ("check", "backdating(periods=3,level=0.5)", "sets level"),
        ("check", "placebo_units(max_mspe_ratio=3.0)", "cannot have max_mspe_ratio 3.0"),
        ("check", "multiplicity(outcomes=51)", "cannot have outcomes 51"),
        ("check", "multiplicity(counted=('a',))", "sets counted"),
        ("judge", "me", "judge is 'me'"),
        ("coverage_design", "nowhere", "coverage_design is 'nowhere'"),
    ],
)
def test_what_is_not_understood_is_named(word, value, said):
    with pytest.raises(SpecError) as caught:
        views_from_query({word: [value]})
    assert said in caught.value.message
    assert caught.value.hint


def test_a_check_is_set_once_and_a_word_stands_once():
    with pytest.raises(SpecError, match="twice"):
        views_from_query({"check": ["multiplicity", "multiplicity(outcomes=3)"]})
    with pytest.raises(SpecError, match="'judge' 2 times"):
        read_link({"data": ["prop99"], "judge": ["worlds", "worlds"]})

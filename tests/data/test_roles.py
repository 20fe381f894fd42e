import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.data import Roles, guess_roles, read_table, table_from_frame
from components.data.samples import SAMPLES
from tests.conftest import PUBLISHED

EXPECTED = {
    "california_prop99": ("state", "year", "packs_per_capita", "treated"),
    "california_prop99_covariates": ("state", "year", "packs_per_capita", "treated"),
    "basque": ("region", "year", "gdpcap", "treated"),
    "basque_with_spain": ("region", "year", "gdpcap", "treated"),
    "german_reunification": ("country", "year", "gdp", "treated"),
    "cps": ("state", "year", "log_wage", None),
    "cps_rounded": ("state", "year", "log_wage", None),
    "penn_world_table": ("country", "year", "log_gdp", None),
    "geolift_pretest": ("location", "date", "conversions", None),
    "geolift_test": ("location", "date", "conversions", "treated"),
    "mpdta": ("countyreal", "year", "lemp", "treated"),
    "parliament_gender_quotas": ("country", "year", "women_in_parliament_pct", "treated"),
    "sim_fect_reversals": ("unit", "time", "y", "treated"),
    "sim_gsynth": ("unit", "time", "y", "treated"),
}


def four(roles):
    return roles.unit, roles.time, roles.outcome, roles.treatment


@pytest.mark.parametrize(("name", "roles"), EXPECTED.items(), ids=EXPECTED.keys())
def test_published_panels(name, roles):
    path = PUBLISHED / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"the published panel {name} is not at hand (set PANELSCOPE_DATA)")
    table = read_table(path.read_bytes(), path.name)
    guessed = guess_roles(table)
    assert four(guessed) == roles
    assert guessed.other == tuple(c for c in table.columns if c not in roles)


@pytest.mark.parametrize("key", SAMPLES)
def test_samples(key):
    sample = SAMPLES[key]
    roles = guess_roles(read_table(sample.path.read_bytes(), sample.file))
    assert four(roles) == (sample.unit, sample.time, sample.outcome, sample.treatment)


def panel(unit, time, outcome, treatment, extra=(), n=4, t=6):
    """A small table with the given names; ``extra`` maps names to functions of unit and period."""
    rows = []
    for i in range(n):
        for j in range(t):
            row = {unit: f"place {i}", time: 2000 + j, outcome: (7 * i + 3 * j * j) % 11 + 0.5}
            if treatment:
                row[treatment] = int(i == 1 and j > 3)
            row.update({name: make(i, j) for name, make in dict(extra).items()})
            rows.append(row)
    return table_from_frame(pd.DataFrame(rows))


@pytest.mark.parametrize(
    "unit",
    [
        "State",
        "country",
        "CITY",
        "store_name",
        "region",
        "geo",
        "id",
        "unit",
        "Entity",
        "dma",
        "whatever",
    ],
)
@pytest.mark.parametrize(
    "time", ["Year", "year", "period", "Time", "t", "calendarYear", "anything"]
)
def test_usual_names_of_units_and_periods(unit, time):
    assert four(guess_roles(panel(unit, time, "y", "treated"))) == (unit, time, "y", "treated")


@pytest.mark.parametrize(
    "outcome",
    [
        "Y",
        "outcome",
        "sales",
        "GDP",
        "gdp_per_capita",
        "revenue",
        "price_index",
        "Number of jobs",
        "x",
    ],
)
@pytest.mark.parametrize(
    "treatment",
    [
        "treated",
        "Treatment",
        "treat",
        "post",
        "D",
        "W",
        "intervention",
        "is_treated",
        "new_law",
        None,
    ],
)
def test_usual_names_of_outcomes_and_treatments(outcome, treatment):
    roles = guess_roles(panel("state", "year", outcome, treatment))
    assert four(roles) == ("state", "year", outcome, treatment)


def test_what_is_never_an_outcome():
    extra = {
        "true_effect": lambda i, j: 2.5 * (i == 1 and j > 3) + 0.1 * j * i,
        "first_treat": lambda i, _: 2004 if i == 1 else 0,
        "state_id": lambda i, _: 100 + i,
        "month": lambda i, j: 1 + (i + j) % 12,
        "holiday": lambda _, j: int(j == 2),
        "national_rate": lambda _, j: 3.1 * j,
        "area": lambda i, _: 10.5 * i,
        "rownames": lambda i, j: 6 * i + j + 1,
        "ever_treated": lambda i, _: int(i == 1),
    }
    first = {name: extra[name] for name in reversed(extra)}
    table = panel("state", "year", "jobs", "treated", first)
    order = [*first, "state", "year", "treated", "jobs"]
    roles = guess_roles(table_from_frame(table.text[order]))
    assert four(roles) == ("state", "year", "jobs", "treated")


def test_a_name_that_says_outcome_wins_over_an_earlier_column():
    extra = {"y": lambda i, j: 1.5 * i * j}
    table = panel("state", "year", "population", None, extra)
    assert guess_roles(table).outcome == "y"
    assert guess_roles(panel("state", "year", "population", None)).outcome == "population"


def test_group_and_period_flags_are_not_taken_for_treatment():
    extra = {"treat": lambda i, _: int(i == 1), "post": lambda _, j: int(j > 3)}
    roles = guess_roles(panel("state", "year", "y", None, extra))
    assert (roles.treatment, roles.post) == ("treat", "post")
    alone = {"post": extra["post"], "other": extra["treat"]}
    assert guess_roles(panel("state", "year", "y", None, alone)).post is None
    extra["treated_post"] = lambda i, j: int(i == 1 and j > 3)
    assert guess_roles(panel("state", "year", "y", None, extra)).treatment == "treated_post"


def test_first_treated_periods_serve_where_there_is_no_flag():
    extra = {"first_treat": lambda i, _: 2004 if i == 1 else 0}
    roles = guess_roles(panel("state", "year", "y", None, extra))
    assert (roles.treatment, roles.treatment_kind) == ("first_treat", "start")
    roles = guess_roles(panel("state", "year", "y", "treated", extra))
    assert (roles.treatment, roles.treatment_kind) == ("treated", "flag")


def test_numbers_serve_as_units_and_dates_in_any_order_as_periods():
    rows = [
        (u, f"{d:02d}/03/2020", u * d % 7 + 0.5) for u in (8001, 8003, 8009) for d in range(1, 9)
    ]
    frame = pd.DataFrame(rows, columns=["firm_id", "when", "sales"])
    assert four(guess_roles(table_from_frame(frame))) == ("firm_id", "when", "sales", None)


def test_nothing_is_guessed_from_nothing():
    frame = pd.DataFrame({"a": ["x", "y", "z"], "b": ["p", "q", "r"]}, dtype="str")
    assert guess_roles(table_from_frame(frame)) == Roles(other=("a", "b"))


@settings(deadline=None)
@given(
    st.lists(
        st.lists(
            st.sampled_from(["", "0", "1", "2.5", "a", "2020", "2020-01", "NA"]),
            min_size=3,
            max_size=3,
        ),
        min_size=1,
        max_size=6,
    ).filter(lambda rows: any(map(any, rows))),
    st.lists(
        st.sampled_from(["unit", "year", "treated", "y", "first_treat", "x"]),
        min_size=3,
        max_size=3,
        unique=True,
    ),
)
def test_any_table_gets_roles_that_are_its_columns(rows, names):
    table = table_from_frame(pd.DataFrame(rows, columns=names, dtype="str"))
    roles = guess_roles(table)
    chosen = [name for name in four(roles) if name is not None]
    assert len(set(chosen)) == len(chosen)
    assert sorted([*chosen, *roles.other]) == sorted(table.columns)

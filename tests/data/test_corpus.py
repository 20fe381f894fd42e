"""The corpus: every awkward file gets the verdict that it was made for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components.data import (
    QuestionError,
    Reading,
    guess_roles,
    read_table,
    recognise_shape,
    to_panel,
    unfold,
)
from components.errors import DataError
from tests.data.corpus import CORPUS

LOADS = {name: case for name, case in CORPUS.items() if case.verdict in ("exact", "said")}
ASKS = {name: case for name, case in CORPUS.items() if case.verdict == "asks"}
REFUSES = {name: case for name, case in CORPUS.items() if case.verdict == "refuses"}
QUIET = ("Treatment in ", "First treated periods in ", "No column says treatment")


def read(case, reading=None, **answers):
    """Do what the data page does: read, recognise, guess, and build."""
    reading = reading or Reading()
    table = read_table(case.data, "file", reading)
    given = {**case.roles, **answers}
    shape = given["shape"] if "shape" in given else recognise_shape(table)
    roles = guess_roles(table if shape is None else unfold(table, shape))
    return to_panel(table, replace(roles, **{"shape": shape, "reading": reading, **given}))


def assert_same(panel, truth):
    assert list(panel.units) == list(truth.units)
    assert panel.periods.dtype == truth.periods.dtype
    assert list(panel.periods) == list(truth.periods)
    assert panel.outcome == truth.outcome
    np.testing.assert_allclose(panel.Y, truth.Y, rtol=1e-15)
    np.testing.assert_array_equal(panel.W, truth.W)


def said_in(ledger):
    return " ".join(entry.sentence for entry in ledger[1:])


@pytest.mark.parametrize("name", LOADS)
def test_it_loads_exactly_and_says_what_it_changed(name):
    case = LOADS[name]
    panel, ledger = read(case)
    assert_same(panel, case.panel)
    if case.verdict == "exact":
        assert [e.sentence for e in ledger[1:] if not e.sentence.startswith(QUIET)] == []
    else:
        import re

        assert re.search(case.words, said_in(ledger)), said_in(ledger)


@pytest.mark.parametrize("name", ASKS)
def test_it_asks_one_question_and_loads_with_the_answer(name):
    case = ASKS[name]
    with pytest.raises(QuestionError) as caught:
        read(case)
    question = caught.value
    assert question.field == case.where
    assert question.hint.endswith(".")
    offered = [option.value for option in question.options]
    answers = case.answer if question.many else (case.answer,)
    assert set(answers) <= set(offered)
    field = case.where.removeprefix("reading.")
    if field != case.where:
        panel, ledger = read(case, Reading(**{field: case.answer}))
    else:
        panel, ledger = read(case, **{field: case.answer})
    assert_same(panel, case.panel)
    assert said_in(ledger)


@pytest.mark.parametrize("name", REFUSES)
def test_it_is_refused_with_the_place_and_a_cure(name):
    case = REFUSES[name]
    with pytest.raises(DataError, match=case.words) as caught:
        read(case)
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")


def test_the_corpus_is_large_and_no_file_is_in_it_twice():
    assert len(CORPUS) >= 150
    assert {case.verdict for case in CORPUS.values()} == {"exact", "said", "asks", "refuses"}

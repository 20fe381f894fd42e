"""Bytes read as Windows-1252: Western European passes, all else has to be looked at."""

from __future__ import annotations

import pytest

from components.data.western import seems_western


@pytest.mark.parametrize(
    "names",
    [
        "München, Köln, Gießen",
        "Côte d'Azur, Rhône, Isère, Ardèche, Corrèze",
        "Frêne, Cèdre, Érable",
        "São Paulo, Goiás, Maranhão",
        "Málaga, A Coruña, Ávila",
        "Forlì, Cefalù, Niccolò",
        "Tromsø, Bodø, Ålesund, Næstved",
        "Reykjavík, Þórshöfn",
        "O’Brien, “Kerry”, Cork – West",
    ],
)
def test_western_names_are_read_without_a_question(names):
    assert seems_western(names.encode("cp1252").decode("cp1252"))


@pytest.mark.parametrize(
    ("names", "encoding"),
    [
        ("Győr, Pécs", "cp1250"),
        ("Plzeň", "cp1250"),
        ("Olomoucký, Plzeňský, Jihočeský", "cp1250"),
        ("Łódź", "cp1250"),
        ("Győr", "iso8859-2"),
        ("Köln", "cp850"),
        ("Nîmes", "mac-roman"),
        ("Gießen", "mac-roman"),
        ("Москва", "cp1251"),
        ("Paris €", "iso8859-15"),
    ],
)
def test_other_letters_are_not_taken_for_western_ones(names, encoding):
    assert not seems_western(names.encode(encoding).decode("cp1252"))

"""Rules of the house that no tool checks by itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest

from conftest import ROOT

SOURCES = [
    ROOT / "app.py",
    ROOT / "asgi.py",
    *sorted((ROOT / "components").rglob("*.py")),
    *sorted((ROOT / "pages").rglob("*.py")),
]


def calls(path):
    """Give the dotted names of all calls in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def places(pattern, *, but=()):
    return [
        f"{path.relative_to(ROOT)}: {name}"
        for path in SOURCES
        if path.relative_to(ROOT).as_posix() not in but
        for name in calls(path)
        if re.search(pattern, name)
    ]


@pytest.mark.parametrize(
    "pattern",
    [
        r"^(eval|exec|__import__)$",
        r"(^|\.)(read_pickle|from_formula|read_sql|read_html)$",
        r"^pickle\.|^yaml\.|^os\.system$|\.eval$",
        r"^(?!state)\w+\.query$",
        r"^st\.components",
    ],
)
def test_nothing_runs_what_data_says(pattern):
    assert places(pattern) == []


def test_files_are_offered_in_one_place():
    assert places(r"download_button$", but=("components/ui/downloads.py",)) == []


def test_html_is_written_in_one_place_and_holds_no_data():
    assert places(r"^st\.html$", but=("components/ui/frame.py",)) == []
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    assert "unsafe_allow_html" not in text
    assert "unsafe_allow_javascript" not in text


def test_streamlit_hashes_no_data():
    assert places(r"cache_data$") == []
    decorated = [
        (path.name, node.name, len(node.args.args))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and any("cache_resource" in ast.unparse(mark) for mark in node.decorator_list)
    ]
    assert decorated
    assert all(arguments == 0 for _, _, arguments in decorated), decorated


def test_errors_are_caught_in_one_place():
    catching = [
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and node.type is not None
        and ast.unparse(node.type) in {"PanelscopeError", "Exception", "BaseException"}
        and path.relative_to(ROOT).parts[:2] in {("components", "ui"), ("pages",)}
    ]
    assert catching == ["components/ui/guard.py"]


@pytest.mark.parametrize("heavy", ["statsmodels", "streamlit", "plotly", "matplotlib", "pyarrow"])
def test_the_engine_starts_without_what_it_does_not_need(heavy):
    allowed = {"pyarrow"}  # the data door reads text columns with it
    code = (
        "import sys, components.analysis\n"
        f"print(any(name.split('.')[0] == {heavy!r} for name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(heavy in allowed)


WRONG = [
    r"probability (that|of) .{0,40}(by |due to )?chance",
    r"parallel trends.{0,60}synthetic control",
    r"(better|good) fit (proves|shows that the model)",
    r"statistically significant",
    r"significant at|highly significant",
    r"p-value (is|gives|means|shows) the (probability|chance|likelihood)",
    r"(probability|chance|likelihood) that (the|this|an) (effect|result|difference) is (real|true)",
    r"(probability|chance) (that|of) the null",
    r"synthetic control.{0,40} (assumes?|requires?|needs?|rests on) parallel trends",
    r"(proves?|confirms?|guarantees?) (that )?(the|a|its) (model|effect|estimate)",
    r"(proves?|establishes) (causality|causation|a causal)",
    r"(passed|passing|pass) all (checks|tests).{0,30}(so|therefore|means)",
]


@pytest.mark.parametrize("claim", WRONG)
def test_no_screen_text_makes_a_false_claim(claim):
    texts = [
        (path.name, node.value)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [name for name, text in texts if re.search(claim, text, re.IGNORECASE)] == []


@pytest.mark.parametrize(
    "sentence",
    [
        "The p-value is the probability that the effect is due to chance.",
        "There is a 3% probability that the difference is real.",
        "Synthetic control assumes parallel trends.",
        "A better fit proves the model.",
        "The effect is significant at 5%.",
        "This confirms the model.",
        "The probability of the null is small.",
    ],
)
def test_the_list_of_false_claims_catches_them(sentence):
    assert any(re.search(claim, sentence, re.IGNORECASE) for claim in WRONG)

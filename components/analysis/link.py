"""The address bar: a spec as query parameters and back, refusing unknown words by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from components.analysis.codec import read_method, write_method
from components.analysis.spec import AnalysisSpec, Treatment, sample_spec
from components.analysis.views import REPEATED_VIEWS, SINGLE_VIEWS, Views, views_from_query
from components.data import Reading, Roles
from components.data.sources import SourceQuery
from components.errors import DataError, SpecError
from components.estimators import ESTIMATORS
from components.inference import METHODS

VERSION = "1"
COLUMN_ROLES = ("unit", "time", "outcome", "treatment")
READINGS = {
    "treatment_kind": ("flag", "start"),
    "decimal": (".", ","),
    "date_order": ("day first", "month first", "year first"),
    "duplicates": ("first", "mean", "sum"),
    "gaps": ("drop_units", "drop_periods", "interpolate"),
    "shape": ("periods in columns", "units in columns"),
}
TAKING_APART = ("encoding", "sheet", "header", "header_rows")
QUERY = "query"
NO_METHOD = "none"
CELLS = {"blank": "blanked", "smooth": "smoothed"}
BETWEEN = "|"  # period and unit of a cell; no period is written with it
REPEATED = ("treated", "drop", "skip", *CELLS, "covariate", "treated_value", *REPEATED_VIEWS)
SINGLE = (
    "v", "data", "unit", "time", "outcome", "treatment", "treatment_kind", "decimal",
    "date_order", "post", "duplicates", "gaps", "shape", *TAKING_APART, QUERY,
    "from", "first", "last", "estimator", "inference", "level", "seed", *SINGLE_VIEWS,
)  # fmt: skip

Query = dict[str, str | list[str]]


def to_query(spec: AnalysisSpec) -> Query:
    """Write a spec as query parameters; what equals the sample's own choice is left out.

    Parameters
    ----------
    spec : AnalysisSpec

    Returns
    -------
    dict of str to str or list of str
        Readable by :func:`from_query`.
    """
    start = _start(spec.source)
    query: Query = {"v": VERSION, "data": spec.sample or spec.source.replace(":", "-")}
    for role in (*COLUMN_ROLES, "post", *READINGS):
        if getattr(spec.columns, role) != getattr(start.columns, role):
            query[role] = getattr(spec.columns, role) or ""
    for part in TAKING_APART:
        value = getattr(spec.columns.reading, part)
        if value is not None:
            query[part] = str(value)
    if spec.columns.reading.query is not None:
        query[QUERY] = spec.columns.reading.query.to_json()
    if spec.columns.treated_values:
        query["treated_value"] = list(spec.columns.treated_values)
    if spec.treatment is not None:
        query |= {"treated": list(spec.treatment.units), "from": spec.treatment.start}
    if spec.window is not None:
        query["first"], query["last"] = spec.window
    if spec.columns.covariates != start.columns.covariates:
        query["covariate"] = list(spec.columns.covariates) or [""]
    return query | _left_out(spec) | _method_words(spec, start)


def _left_out(spec: AnalysisSpec) -> Query:
    words: Query = {}
    if spec.dropped:
        words["drop"] = list(spec.dropped)
    if spec.skipped:
        words["skip"] = list(spec.skipped)
    for word, field in CELLS.items():
        cells = getattr(spec, field)
        if cells:
            words[word] = [f"{period}{BETWEEN}{unit}" for unit, period in cells]
    return words


def _method_words(spec: AnalysisSpec, start: AnalysisSpec) -> Query:
    words: Query = {}
    if spec.estimator != start.estimator:
        words["estimator"] = write_method(spec.estimator)
    if spec.inference != start.inference:
        words["inference"] = write_method(spec.inference) if spec.inference else NO_METHOD
    if spec.level != start.level:
        words["level"] = str(float(spec.level))
    if spec.seed != start.seed:
        words["seed"] = str(spec.seed)
    return words


def from_query(query: Mapping[str, Sequence[str]]) -> AnalysisSpec:
    """Read a spec from query parameters.

    Parameters
    ----------
    query : mapping of str to sequence of str
        All values of each parameter.

    Returns
    -------
    AnalysisSpec

    Raises
    ------
    SpecError
        Naming the parameter or value that is not understood; nothing is ignored. Words about
        what a page shows beside the analysis are left to :func:`read_link`.
    """
    _refuse_unknown(query)
    one = {word: values[0] for word, values in query.items() if word in SINGLE}
    if one.get("v", VERSION) != VERSION:
        raise SpecError(
            f"The link is of version {one['v']!r}; this Panelscope reads version {VERSION}.",
            hint="Open it with the version that made it.",
        )
    start = _start(_source(one.get("data")))
    columns = _columns(start.columns, one, query.get("covariate"))
    if "treated_value" in query:
        columns = replace(columns, treated_values=tuple(query["treated_value"]))
    changes: dict[str, Any] = {"columns": columns}
    changes["treatment"] = _treatment(query.get("treated", ()), one.get("from"))
    if ("first" in one) != ("last" in one):
        raise SpecError(
            "The link gives only one end of the window.", hint="Give both 'first' and 'last'."
        )
    if "first" in one:
        changes["window"] = (one["first"], one["last"])
    changes["dropped"] = tuple(query.get("drop", ()))
    changes["skipped"] = tuple(query.get("skip", ()))
    for word, field in CELLS.items():
        changes[field] = tuple(_cell(word, text) for text in query.get(word, ()))
    return start.with_(**changes, **_methods(one))


def read_link(query: Mapping[str, Sequence[str]]) -> tuple[AnalysisSpec, Views]:
    """Read a whole link: the analysis, and what pages show beside it.

    Raises
    ------
    SpecError
        As :func:`from_query`.
    """
    return from_query(query), views_from_query(query)


def _refuse_unknown(query: Mapping[str, Sequence[str]]) -> None:
    for word, values in query.items():
        if word not in SINGLE and word not in REPEATED:
            raise SpecError(
                f"The link holds the word {word!r}, which Panelscope does not know.",
                hint="Check the link, or start from a sample.",
            )
        if word in SINGLE and len(values) != 1:
            raise SpecError(f"The link gives {word!r} {len(values)} times.", hint="Give it once.")


def _methods(one: Mapping[str, str]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if "estimator" in one:
        changes["estimator"] = read_method(one["estimator"], ESTIMATORS, "estimator")
    if "inference" in one:
        text = one["inference"]
        none = text == NO_METHOD
        changes["inference"] = None if none else read_method(text, METHODS, "inference method")
    if "level" in one:
        changes["level"] = _number("level", one["level"], float)
    if "seed" in one:
        changes["seed"] = _number("seed", one["seed"], int)
    return changes


def _start(source: str) -> AnalysisSpec:
    """Give what a link is measured against: the sample's own analysis, or an empty one."""
    kind, _, key = source.partition(":")
    if kind == "sample":
        return sample_spec(key)
    return AnalysisSpec(source=source, columns=Roles())


def _source(word: str | None) -> str:
    if word is None:
        raise SpecError("The link names no data.", hint="Start from a sample or your own table.")
    if re.fullmatch(r"sha256-[0-9a-f]{64}", word):
        return word.replace("-", ":")
    sample_spec(word)
    return f"sample:{word}"


def _columns(start: Roles, one: Mapping[str, str], covariates: Sequence[str] | None) -> Roles:
    named = (*COLUMN_ROLES, "post")
    changes: dict[str, Any] = {role: one[role] or None for role in named if role in one}
    for word, allowed in READINGS.items():
        if word in one and one[word] not in allowed:
            raise SpecError(
                f"The link's {word} is {one[word]!r}.", hint=f"Write {' or '.join(allowed)}."
            )
    changes |= {word: one[word] for word in READINGS if word in one}
    changes["reading"] = _reading(one)
    if covariates is not None:
        changes["covariates"] = tuple(name for name in covariates if name)
    columns = replace(start, **changes)
    for role in COLUMN_ROLES[:3]:
        if not getattr(columns, role):
            raise SpecError(
                f"The link does not say which column is the {role}.",
                hint=f"Add '{role}=' and the column's name.",
            )
    return columns


def _reading(one: Mapping[str, str]) -> Reading:
    parts: dict[str, Any] = {part: one[part] for part in TAKING_APART if part in one}
    for part in ("header", "header_rows"):
        if part in parts:
            parts[part] = _number(part, parts[part], int)
    try:
        if QUERY in one:
            parts["query"] = SourceQuery.from_json(one[QUERY])
        return Reading(**parts)
    except DataError as error:
        raise SpecError(f"The link cannot be read: {error.message}", hint=error.hint) from None


def _treatment(units: Sequence[str], start: str | None) -> Treatment | None:
    if not units and start is None:
        return None
    if not units or start is None:
        raise SpecError(
            "The link gives only half of the treatment.",
            hint="Give both 'treated' (the units) and 'from' (the first treated period).",
        )
    return Treatment(tuple(units), start)


def _cell(word: str, text: str) -> tuple[str, str]:
    period, between, unit = text.partition(BETWEEN)
    if not (period and between):
        raise SpecError(
            f"The link's {word} is {text!r}, which names no cell.",
            hint=f"Write the period, {BETWEEN!r} and the unit.",
        )
    return unit, period


def _number(word: str, text: str, kind: type[int] | type[float]) -> int | float:
    try:
        return kind(text)
    except ValueError:
        raise SpecError(
            f"The link's {word} is {text!r}, which is not a number.", hint="Write it in digits."
        ) from None

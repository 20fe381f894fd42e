"""From the bytes of a file to a panel, with a ledger of everything that happened on the way."""

from components.data.cells import Survey, survey
from components.data.columnar import table_from_frame
from components.data.covariates import MEANINGS, classify_covariates
from components.data.examples import Example, examples
from components.data.guess import guess_roles
from components.data.health import Check, health
from components.data.ledger import Entry, Ledger
from components.data.longform import panel_from_frame, to_panel
from components.data.questions import Option, QuestionError, open_question
from components.data.reading import ENCODINGS, Reading
from components.data.roles import Roles
from components.data.samples import SAMPLES, Sample
from components.data.shape import recognise_shape, unfold
from components.data.table import Table
from components.data.timeparse import parse_periods
from components.data.upload import read_table

__all__ = [
    "ENCODINGS",
    "MEANINGS",
    "SAMPLES",
    "Check",
    "Entry",
    "Example",
    "Ledger",
    "Option",
    "QuestionError",
    "Reading",
    "Roles",
    "Sample",
    "Survey",
    "Table",
    "classify_covariates",
    "examples",
    "guess_roles",
    "health",
    "open_question",
    "panel_from_frame",
    "parse_periods",
    "read_table",
    "recognise_shape",
    "survey",
    "table_from_frame",
    "to_panel",
    "unfold",
]

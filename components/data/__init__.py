"""From the bytes of a file to a panel, with a ledger of everything that happened on the way."""

from components.data.columnar import table_from_frame
from components.data.health import Check, health
from components.data.ledger import Entry, Ledger
from components.data.longform import panel_from_frame, to_panel
from components.data.questions import Option, QuestionError, open_question
from components.data.reading import ENCODINGS, Reading
from components.data.roles import Roles, guess_roles
from components.data.samples import SAMPLES, Sample
from components.data.table import Table
from components.data.timeparse import parse_periods
from components.data.upload import read_table

__all__ = [
    "ENCODINGS",
    "SAMPLES",
    "Check",
    "Entry",
    "Ledger",
    "Option",
    "QuestionError",
    "Reading",
    "Roles",
    "Sample",
    "Table",
    "guess_roles",
    "health",
    "open_question",
    "panel_from_frame",
    "parse_periods",
    "read_table",
    "table_from_frame",
    "to_panel",
]

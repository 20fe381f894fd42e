"""The whole engine behind one door: spec, run, link, script, words. Runs without a screen."""

from components.analysis.link import from_query, to_query
from components.analysis.run import Result, prepare, refuse_unidentified, run
from components.analysis.script import script_name, to_script
from components.analysis.source import load_table
from components.analysis.spec import AnalysisSpec, Treatment, sample_spec
from components.analysis.words import Words, words_of

__all__ = [
    "AnalysisSpec",
    "Result",
    "Treatment",
    "Words",
    "from_query",
    "load_table",
    "prepare",
    "refuse_unidentified",
    "run",
    "sample_spec",
    "script_name",
    "to_query",
    "to_script",
    "words_of",
]

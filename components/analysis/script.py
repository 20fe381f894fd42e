"""A runnable script that gives the numbers on screen."""

from __future__ import annotations

from pprint import pformat

from components.analysis.run import Result
from components.analysis.words import Words, headline
from components.data import Ledger

TEMPLATE = '''"""{headline}.

Made by Panelscope. Run it from Panelscope's folder, in an environment with its requirements:

    python {name}{argument}
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))  # Panelscope's folder

{imports}

spec = {spec}

table = {table}
panel, ledger = to_panel(table, spec.columns)
{ledger}result = run(spec, panel)

print(json.dumps(result.numbers(), indent=2))
print(result.estimate.paths.to_string())
'''

LEDGER = """
# What was read, converted, found missing, filled in or left out on the way to the panel.
expected = {sentences}
said = [entry.sentence for entry in ledger[1:]]
if said != expected:
    sys.exit("The table was read in another way than on screen: " + json.dumps(said, indent=2))

"""
FROM_SAMPLE = "load_table(spec.source, reading=spec.columns.reading)"
NEEDS_SOURCES = """

The table is a source of the server: PANELSCOPE_SOURCES must name the file that lists it."""
FROM_FILE = """load_table(
    spec.source,
    Path(sys.argv[1] if len(sys.argv) > 1 else {name!r}),
    reading=spec.columns.reading,
)"""


def to_script(result: Result, words: Words, table_name: str, ledger: Ledger = ()) -> str:
    """Write the analysis as a Python script.

    Parameters
    ----------
    result : Result
    words : Words
    table_name : str
        File name of an uploaded table.
    ledger : tuple of Entry
        How the table was read: the script holds it, and stops where it is read in another way.

    Returns
    -------
    str
    """
    spec = result.spec
    parts = [spec.estimator, *([spec.inference] if spec.inference else [])]
    treatment = ", Treatment" if spec.treatment is not None else ""
    imports = [
        f"from components.analysis import AnalysisSpec{treatment}, load_table, run",
        "from components.data import Reading, Roles, to_panel",
        *sorted(
            f"from components.{type(part).__module__.split('.')[1]} import {type(part).__name__}"
            for part in parts
        ),
    ]
    query = spec.columns.reading.query
    is_file = spec.sample is None and query is None
    if query is not None:
        imports.append("from components.data.sources import SourceQuery")
    return TEMPLATE.format(
        headline=_plain(headline(result, words)),
        name=script_name(result),
        argument=f" {_plain(table_name)}" if is_file else NEEDS_SOURCES if query else "",
        imports="\n".join(imports),
        spec=pformat(spec, width=88, sort_dicts=False),
        ledger=_expected(ledger),
        table=FROM_FILE.format(name=table_name) if is_file else FROM_SAMPLE,
    )


def script_name(result: Result) -> str:
    """Name the script's file."""
    return f"panelscope_{result.spec.sample or 'table'}_{result.spec.estimator.card.key}.py"


def _expected(ledger: Ledger) -> str:
    """Write the ledger without its first sentence, which names the file."""
    if not ledger:
        return ""
    sentences = [entry.sentence for entry in ledger[1:]]
    return LEDGER.format(sentences=pformat(sentences, width=88, sort_dicts=False))


def _plain(text: str) -> str:
    """Keep a name from data from ending the docstring it stands in."""
    return text.replace("\\", "/").replace('"""', "'''")

"""A runnable script that gives the numbers on screen."""

from __future__ import annotations

from pprint import pformat

from components.analysis.run import Result
from components.analysis.words import Words, headline

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
result = run(spec, panel)

print(json.dumps(result.numbers(), indent=2))
print(result.estimate.paths.to_string())
'''

FROM_SAMPLE = "load_table(spec.source, reading=spec.columns.reading)"
FROM_FILE = """load_table(
    spec.source,
    Path(sys.argv[1] if len(sys.argv) > 1 else {name!r}),
    reading=spec.columns.reading,
)"""


def to_script(result: Result, words: Words, table_name: str) -> str:
    """Write the analysis as a Python script.

    Parameters
    ----------
    result : Result
    words : Words
    table_name : str
        File name of an uploaded table.

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
    is_file = spec.sample is None
    return TEMPLATE.format(
        headline=_plain(headline(result, words)),
        name=script_name(result),
        argument=f" {_plain(table_name)}" if is_file else "",
        imports="\n".join(imports),
        spec=pformat(spec, width=88, sort_dicts=False),
        table=FROM_FILE.format(name=table_name) if is_file else FROM_SAMPLE,
    )


def script_name(result: Result) -> str:
    """Name the script's file."""
    return f"panelscope_{result.spec.sample or 'table'}_{result.spec.estimator.card.key}.py"


def _plain(text: str) -> str:
    """Keep a name from data from ending the docstring it stands in."""
    return text.replace("\\", "/").replace('"""', "'''")

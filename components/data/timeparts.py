"""Time in several columns: year and month, quarter or week, and year, month and day."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from components.data.ledger import Entry, shown
from components.data.monthnames import ROMAN, month_number
from components.data.table import Table

TOGETHER = " + "
YEAR = re.compile(r"year|yr|yyyy|jahr|annee|année|ano|año|anno")
VALID_SHARE = 0.5


def _month(word: str) -> int:
    number = month_number(word)
    if not 1 <= number <= 12:
        raise ValueError(word)
    return number


def _between(low: int, high: int, mark: str = "") -> Callable[[str], int]:
    def read(word: str) -> int:
        bare = re.sub(rf"^({mark})[ .]?(?=[0-9])", "", word, flags=re.IGNORECASE).lower()
        number = ROMAN[bare] if bare in ROMAN else int(bare)
        if not low <= number <= high:
            raise ValueError(word)
        return number

    return read


# Name of the column, how its words are read, how they are written behind the year.
PARTS: dict[str, tuple[re.Pattern[str], Callable[[str], int], str]] = {
    "month": (re.compile(r"month|mon|mth|mm|monat|mois|mes|mese|maand"), _month, "-{:02}"),
    "quarter": (
        re.compile(r"quarter|qtr|q|quartal|kvartal|trimestre|trim"),
        _between(1, 4, "q|t|k"),
        "Q{}",
    ),
    "half": (
        re.compile(r"half|half_?year|halbjahr|semester|semestre|sem|hy"),
        _between(1, 2, "h|s|hy"),
        "H{}",
    ),
    "week": (re.compile(r"week|wk|kw|woche|isoweek|iso_week"), _between(1, 53, "w|kw"), "-W{:02}"),
}
DAY = (re.compile(r"day|dd|tag|jour|dia|día|giorno|dag|dayofmonth"), _between(1, 31), "-{:02}")


def with_time_together(table: Table) -> Table:
    """Offer the parts of time as one more column, where a table has them in several.

    Parameters
    ----------
    table : Table

    Returns
    -------
    Table
        With a column such as "year + month" behind the others, and an entry that says so; the
        same table where there is no such pair. A part that is none stands as it is written, and
        is refused with its line once the column is used.
    """
    named = [name for name in table.columns if YEAR.fullmatch(_key(name))]
    years = [name for name in named if _are_years(table, name)]
    if len(years) != 1:
        return table
    text, used = table.text[years[0]].str.strip(), [years[0]]
    for words, read, form in PARTS.values():
        part = _part(table, words, read, form)
        if part is not None:
            text, used = text + part[1], [*used, part[0]]
            if words is PARTS["month"][0] and (day := _part(table, *DAY)) is not None:
                text, used = text + day[1], [*used, day[0]]
            break
    name = TOGETHER.join(used)
    if len(used) < 2 or name in table.columns:
        return table
    parts = ", ".join(map(shown, used[:-1]))
    sentence = f"{parts} and {shown(used[-1])} are also offered together, as {shown(name)}."
    return replace(
        table,
        columns=(*table.columns, name),
        text=table.text.assign(**{name: text.astype("str")}),
        entries=(*table.entries, Entry("read", sentence, len(text))),
    )


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.lower()).strip("_")


def _are_years(table: Table, name: str) -> bool:
    words = table.text[name].dropna().unique()
    return len(words) > 0 and all(re.fullmatch(r" *(1[5-9]|20|21)[0-9]{2} *", w) for w in words)


def _part(
    table: Table, named: re.Pattern[str], read: Callable[[str], int], form: str
) -> tuple[str, pd.Series[str]] | None:
    """Find the one column of a part, and write it as it stands behind the year."""
    for name in table.columns:
        if not named.fullmatch(_key(name)):
            continue
        words = [str(word) for word in table.text[name].dropna().unique()]
        written, valid = {}, 0
        for word in words:
            try:
                plain = re.sub(r"\.0+$", "", word.strip())
                written[word] = form.format(read(plain))
                valid += 1
            except ValueError:
                written[word] = f"-{word}"
        if len(words) > 1 and valid >= VALID_SHARE * len(words):
            return name, table.text[name].map(written)
    return None

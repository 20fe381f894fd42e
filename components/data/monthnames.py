"""Names of months and days of the week in the languages that tables are written in."""

from __future__ import annotations

_MONTHS = (
    "january januar jänner januari janvier janeiro gennaio enero janv jan jän ene gen",
    "february februar februari février fevrier febrero febbraio fevereiro févr fevr feb fév fev",
    "march märz maerz maart marzo março marco mars mar mär mrz mrt",
    "april aprile avril abril apr avr abr",
    "may mai mei maj mayo maggio maio mag",
    "june juni juin junio junho giugno jun giu",
    "july juli juillet julio julho luglio juil jul lug",
    "august augustus augusti août aout agosto aug ago",
    "september septembre septiembre settembre setembro sept sett sep set",
    "october oktober octobre octubre ottobre outubro oct okt ott out",
    "november novembre noviembre novembro nov",
    "december dezember décembre decembre diciembre dicembre dezembro desember dec dez déc dic des",
)
_DAYS = (
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri "
    "sat sun montag dienstag mittwoch donnerstag freitag samstag sonntag mo di mi do fr sa so"
)
NUMBERS = {name: number for number, row in enumerate(_MONTHS, 1) for name in row.split()}


def _any_of(names: list[str]) -> str:
    return "|".join(sorted(names, key=lambda name: (-len(name), name)))


MONTH = rf"(?P<month>{_any_of([*NUMBERS])})\.?"
WEEKDAY = rf"(?:(?:{_any_of(_DAYS.split())})\.?,? )?"


def month_number(written: str) -> int:
    """Give the number of a month that is written as a number or a name.

    Raises
    ------
    ValueError
        Where it is neither.
    """
    if written.isdecimal():
        return int(written)
    name = written.casefold().removesuffix(".")
    if name not in NUMBERS:
        raise ValueError(name)
    return NUMBERS[name]

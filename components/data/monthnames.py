"""Names of months and days of the week in the languages that tables are written in."""

from __future__ import annotations

_MONTHS = (
    "january januar jänner januari janvier janeiro gennaio enero janv jan jän ene gen "
    "styczeń stycznia sty leden ledna led január ianuarie ocak oca tammikuu "
    "январь января янв ιανουάριος ιανουαρίου ιαν",
    "february februar februari février fevrier febrero febbraio fevereiro févr fevr feb fév fev "
    "luty lutego lut únor února úno február februarie şubat şub helmikuu "
    "февраль февраля фев февр φεβρουάριος φεβρουαρίου φεβ",
    "march märz maerz maart marzo março marco mars mar mär mrz mrt marts maret "
    "marzec marca březen března bře március márc martie mart maaliskuu "
    "март марта мар μάρτιος μαρτίου μαρ",
    "april aprile avril abril apr avr abr kwiecień kwietnia kwi duben dubna dub április ápr "
    "aprilie nisan nis huhtikuu апрель апреля апр απρίλιος απριλίου απρ",
    "may mai mei maj mayo maggio maio mag maja květen května kvě május máj mayıs toukokuu "
    "май мая μάιος μαΐου μαΐ μάι",
    "june juni juin junio junho giugno jun giu czerwiec czerwca cze červen června čvn június jún "
    "iunie haziran haz kesäkuu июнь июня июн ιούνιος ιουνίου ιουν",
    "july juli juillet julio julho luglio juil jul lug lipiec lipca lip červenec července čvc "
    "július júl iulie temmuz tem heinäkuu июль июля июл ιούλιος ιουλίου ιουλ",
    "august augustus augusti août aout agosto aug ago agustus augusztus sierpień sierpnia sie "
    "srpen srpna srp ağustos ağu elokuu август августа авг αύγουστος αυγούστου αυγ",
    "september septembre septiembre settembre setembro sept sett sep set wrzesień września wrz "
    "září zář szeptember szept septembrie eylül eyl syyskuu сентябрь сентября сен сент "
    "σεπτέμβριος σεπτεμβρίου σεπ σεπτ",
    "october oktober octobre octubre ottobre outubro oct okt ott out październik października paź "
    "říjen října říj október octombrie ekim eki lokakuu октябрь октября окт "
    "οκτώβριος οκτωβρίου οκτ",
    "november novembre noviembre novembro nov listopad listopada lis noiembrie kasım kas marraskuu "
    "ноябрь ноября ноя нояб νοέμβριος νοεμβρίου νοε",
    "december dezember décembre decembre diciembre dicembre dezembro desember dec dez déc dic des "
    "grudzień grudnia gru prosinec prosince pro decembrie aralık ara joulukuu декабрь декабря дек "
    "δεκέμβριος δεκεμβρίου δεκ",
)
_DAYS = (
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri "
    "sat sun montag dienstag mittwoch donnerstag freitag samstag sonntag mo di mi do fr sa so"
)
_NAMES = [name for row in _MONTHS for name in row.split()]
NUMBERS = {name.casefold(): number for number, row in enumerate(_MONTHS, 1) for name in row.split()}
ROMAN = {
    numeral: number
    for number, numeral in enumerate(
        ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"), 1
    )
}


def _any_of(names: list[str]) -> str:
    return "|".join(sorted(names, key=lambda name: (-len(name), name)))


MONTH = rf"(?P<month>{_any_of(_NAMES)})\.?"
ROMAN_MONTH = rf"(?P<month>{_any_of([*ROMAN])})\.?"
WEEKDAY = rf"(?:(?:{_any_of(_DAYS.split())})\.?,? )?"


def month_number(written: str) -> int:
    """Give the number of a month that is written as a number, a Roman numeral or a name.

    Raises
    ------
    ValueError
        Where it is neither.
    """
    if written.isdecimal():
        return int(written)
    name = written.casefold().removesuffix(".")
    if name in ROMAN:
        return ROMAN[name]
    if name not in NUMBERS:
        raise ValueError(name)
    return NUMBERS[name]

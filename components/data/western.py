"""Whether text that was read as Windows-1252 is Western European, or only looks like letters."""

from __future__ import annotations

import re

UPPER, LOWER = "À-ÖØ-ÞŠŽŒŸ", "ß-öø-ÿšžœ"
LETTER = f"A-Za-z{UPPER}{LOWER}"
# Signs of Windows-1252 that stand in no word, and those that no letter follows.
BETWEEN = "¢¤¥¦¨¬¯±¶¸×‚ƒ„†‡ˆ‰‹›˜™"
BEFORE = "¢£¤¥¦¬¯±¹¼¾"
# What Western European text does not hold, but other text does when it is read as if it were.
FOREIGN = re.compile(
    rf"[{UPPER}{LOWER}]{{3}}|[a-z{LOWER}][{UPPER}]|[{LETTER}][{BETWEEN}][{LETTER}]|"
    rf"[{BEFORE}][a-z{UPPER}{LOWER}]|[{BETWEEN}“”‘Œ][{LETTER}]?[{BETWEEN}]"
)
# Inside a word no sign stands, and these signs are letters in the encodings of DOS and Macintosh.
INSIDE = re.compile(rf"[{LETTER}][“”„§•©®°][{LETTER}]|Ÿ[a-z]|¤")
ICELANDIC = (re.compile("[ðþÐÞ]"), re.compile("[æáíóúÆÁÍÓÚ]"))
# Letters that are others in Windows-1250 (Central European), and where Western languages have them:
# Ålesund, São, España, Niccolò, Cefalù, Forlì, Genève, fête, Haïti, Tromsø, Næstved, cœur, août.
CONSONANT = "[b-df-hj-np-tv-xzç]"
DOUBTFUL = re.compile("[àåãñõòùìèêïøæœûð]")
WESTERN = re.compile(
    rf"[àå]|ã[oe]|ñ[aeiouáéíóú]|õe|{CONSONANT}ò\b|ù\b|{CONSONANT}ì\b|"
    rf"è(?:{CONSONANT}|gn|qu|ch|[bcdgptv]r|[bcgf]l)e|ê(?:[tmnvlr]|ch)|[ao]ï|"
    rf"(?:\b|{CONSONANT})ø(?:{CONSONANT}|\b)|æ{CONSONANT}|œu|oû"
)


def seems_western(text: str) -> bool:
    """Tell whether letters of Windows-1252 stand where Western European languages have them.

    Parameters
    ----------
    text : str
        Bytes that are not UTF-8, read as Windows-1252.

    Returns
    -------
    bool
        False where another encoding may be meant: then the user has to look. Text in which all
        letters are the same in Windows-1250, such as German, needs no look.
    """
    if FOREIGN.search(text) or INSIDE.search(text):
        return False
    odd, usual = ICELANDIC
    if odd.search(text):
        return usual.search(text) is not None
    lower = text.lower()
    doubtful = len(DOUBTFUL.findall(lower))
    return len(WESTERN.findall(lower)) >= doubtful / 2

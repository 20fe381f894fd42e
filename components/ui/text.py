"""Names from data are text, never markup."""

from __future__ import annotations

import re

MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&@])")
# Characters that change the direction or hide themselves would let a name pose as another.
HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def md(text: object) -> str:
    """Escape text so that Markdown shows it as it is.

    Parameters
    ----------
    text : object
        A name or a message that holds names.

    Returns
    -------
    str
    """
    visible = HIDDEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", str(text))
    return MARKUP.sub(r"\\\1", visible.replace("\n", " ").replace("\r", " "))

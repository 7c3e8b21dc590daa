"""What stands in a page or a drawing without being seen, made visible.

Control characters are no part of HTML or XML, and a drawing that holds one cannot be read; the marks of writing direction let a
name read as another one (Boucher & Anderson 2021, "Trojan Source"). Texts of records may hold both.
"""

import re

REPLACEMENT = "�"
"""The character for what cannot be shown."""
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
"""All but tab and line feed of Unicode's controls, the marks of direction, halves of characters, and what is none at all."""
ESCAPED = re.compile(r"(\\\\)|\\u00[01][0-9a-f]|\\[bfr]")
"""The same controls as JSON writes them; a backslash that is itself escaped begins none."""


def visible(text: str) -> str:
    """The text with a replacement character for each that would not be seen."""
    # A mark in its place tells that something was there.
    return UNSEEN.sub(REPLACEMENT, text)


def visible_json(text: str) -> str:
    """JSON whose strings hold none of them."""
    return visible(ESCAPED.sub(lambda match: match[1] or REPLACEMENT, text))


def printable(text: str) -> str:
    """Without the control characters that could steer a terminal, or that no XML may hold: a space for each, line ends too."""
    return "".join(character if character.isprintable() else " " for character in text)

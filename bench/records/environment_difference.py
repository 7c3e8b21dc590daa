"""What differs between two records' environments."""

from collections.abc import Mapping

ABSENT = "none"


def differing(mine: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Each entry that differs, with its value on either side; one that is missing on a side is `none` there."""
    names = dict.fromkeys([*theirs, *mine])
    pairs = {name: (mine.get(name, ABSENT), theirs.get(name, ABSENT)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

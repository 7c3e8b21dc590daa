"""A regular expression that a person wrote: some need longer than anybody waits, so that each search has a time limit."""

from itertools import islice
from typing import Any

# Not Python's own re, whose searches nothing ends; transformers brings this one along.
import regex

SEARCH_SECONDS = 5.0
"""For one text. `^(a|aa)+$` needs years for a hundred letters a and another one."""


class Expression:
    """An expression with named groups, which finds what Python's own `re` finds.

    Raises:
        ValueError: it cannot be understood; the message ends a sentence that names it.
    """

    def __init__(self, text: str) -> None:
        try:
            self._pattern = regex.compile(text)
        # Some thousand groups inside each other end in a RecursionError.
        except (regex.error, RecursionError, OverflowError) as error:
            raise ValueError(f"is wrong: {' '.join(str(error).split())}") from None

    @property
    def groups(self) -> set[str]:
        return set(self._pattern.groupindex)

    def matches(self, text: str, first: bool = False) -> list[dict[str, Any]]:
        """The named groups at each place where it matches, or at the `first` alone; None is a group that took no part.

        Raises:
            ValueError: the search takes too long; the message ends a sentence that names it.
        """
        try:
            places = self._pattern.finditer(text, timeout=SEARCH_SECONDS)
            return [match.groupdict() for match in islice(places, 1 if first else None)]
        except TimeoutError:
            raise ValueError(
                f"needs more than {SEARCH_SECONDS:g} s for one text of {len(text):,} characters; write it without a repetition "
                "inside of another"
            ) from None

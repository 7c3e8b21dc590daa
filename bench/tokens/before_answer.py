"""What stands before an answer as token ids, and which of it is learned."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.tokens.encoded import Encoded


@dataclass(frozen=True)
class Lead:
    """Of each id whether it is learned, as the earlier answers of a chat are."""

    ids: tuple[int, ...]
    learned: tuple[bool, ...]

    def without(self, lost: range) -> "Lead":
        """The places left out, of which there may be none."""
        first, end = lost.start, lost.stop
        return Lead((*self.ids[:first], *self.ids[end:]), (*self.learned[:first], *self.learned[end:]))

    def answered(self, answer: Sequence[int]) -> Encoded:
        """With an answer, which carries loss as what is learned before it does."""
        first = self.learned.index(True) if True in self.learned else len(self.ids)
        silent = tuple(place for place, own in enumerate(self.learned[first:]) if not own)
        return Encoded((*self.ids, *answer), answer=len(self.ids) - first + len(answer), silent=silent)

"""What a judge said of two runs' answers to the same items: a JSON file for each pair of runs and judge, in `judged/`.

They lie beside the records and are no results of a run: no page and no audit reads them, and no run's id hangs on them.
"""

from pathlib import Path
from typing import Literal

from bench.errors import UserError
from bench.folders import write_text
from bench.records.outcome import Part, first_fault

Winner = Literal["one", "other", "tie"]
TURNED: dict[Winner, Winner] = {"one": "other", "other": "one", "tie": "tie"}


class Said(Part):
    """A judge's reply to both answers in one order."""

    text: str
    """As the judge wrote it."""
    winner: Winner | None
    """Whose answer it names; null where the reply can't be read."""

    @property
    def turned(self) -> "Said":
        return Said(text=self.text, winner=self.winner and TURNED[self.winner])


class JudgedItem(Part):
    """Two answers to one item, and what the judge said of them."""

    item: str
    asked: str
    """A hash of what the judge was asked: the prompt's words, the item and both answers."""
    one_first: Said | None = None
    """Asked with the answer of `one` in the first place; null where both answers are the same, and nothing was asked."""
    other_first: Said | None = None
    """Asked with the answer of `other` in the first place."""
    verdict: Winner
    """`one` or `other` where both orders name it; else `tie`."""

    @property
    def turned(self) -> "JudgedItem":
        """The same with the two runs exchanged."""
        # Where the answer of `other` stood in the first place, that of `one` does now.
        first, second = (reply and reply.turned for reply in (self.other_first, self.one_first))
        return JudgedItem(item=self.item, asked=self.asked, one_first=first, other_first=second, verdict=TURNED[self.verdict])


class JudgedPair(Part):
    """All that one judge said of two runs."""

    schema_version: Literal[1] = 1
    judge: str
    """The model's name in its YAML file."""
    model: str
    """The name by which its server knows it."""
    judge_hash: str
    """Of all that the judge's replies hang on: address, model, temperature, `max_tokens`."""
    prompt_version: int
    """Of the words in which the judge was asked."""
    one: str
    """A run's id, the smaller of the two."""
    other: str
    items: list[JudgedItem]


def judged_folder(out: Path) -> Path:
    return out / "judged"


def judged_place(out: Path, one: str, other: str, judge_hash: str) -> Path:
    """Where the verdicts of one judge on two runs are kept."""
    # Some digits tell the judges of a folder apart, and the file holds the whole hash.
    return judged_folder(out) / f"{one}-{other}-{judge_hash[:8]}.json"


def write_judged(out: Path, pair: JudgedPair) -> Path:
    path = judged_place(out, pair.one, pair.other, pair.judge_hash)
    write_text(path, pair.model_dump_json(indent=1))
    return path


def find_judged(path: Path) -> JudgedPair | None:
    """None where there is none.

    Raises:
        UserError: it is damaged.
    """
    if not path.exists():
        return None
    try:
        return JudgedPair.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        remedy = "delete it, and it is made again from the replies that the cache keeps"
        raise UserError(f"{path}: no verdicts of a judge ({first_fault(error)}); {remedy}") from error

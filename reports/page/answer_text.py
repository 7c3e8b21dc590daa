"""Answers as people read them: tags as the names that they mark, several accepted answers side by side."""

import json

from seqeval.metrics.sequence_labeling import get_entities

from bench.records.store import cut

LONGEST_ANSWER = 200
"""Characters of an answer."""


def readable(answer: str, text: str) -> str:
    """An item's answer as the Parquet file holds it, to the item's text."""
    tags = tags_of(answer)
    if tags is not None:
        # Tags stand for words between spaces, as the task's rows have them.
        words = text.split()
        entities = [f"{kind}: {_between(words, first, last)}" for kind, first, last in get_entities(tags)]
        return cut("; ".join(entities) or "no name", LONGEST_ANSWER)
    accepted = _texts_of_json_list(answer)
    return cut(" / ".join(accepted) if accepted else answer, LONGEST_ANSWER)


def _between(words: list[str], first: int, last: int) -> str:
    """The words where the text has them; of a text that was cut, their places."""
    # seqeval's `last` is the entity's last word itself.
    return " ".join(words[first : last + 1]) if last < len(words) else f"words {first + 1} to {last + 1}"


def tags_of(answer: str) -> list[str] | None:
    """BIO tags; None where the answer is something else."""
    tags = _texts_of_json_list(answer)
    return tags if tags and all(tag == "O" or tag[:2] in ("B-", "I-") for tag in tags) else None


def _texts_of_json_list(answer: str) -> list[str]:
    """Of a JSON list of texts its texts; else none."""
    # Nearly all answers are labels and texts, of which no JSON need be read.
    if not answer.startswith("["):
        return []
    try:
        value = json.loads(answer)
    except ValueError:
        return []
    return value if isinstance(value, list) and all(isinstance(each, str) for each in value) else []

"""Probe items that training data gives away: whoever has trained on a passage has not remembered it from before."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from bench.probes import Probe
from bench.runs.run import Run
from bench.specs.source import Source
from bench.specs.task import TaskSpec
from bench.tasks import splits
from bench.tasks.words import words_of

WORDS = 13
"""Length of a shared passage (Brown et al. 2020, appendix C); a probe's shorter text is one passage, from `LEAST` words on."""
LEAST = 6

Lengths = tuple[int, ...]


def contaminated_items(run: Run, probes: Sequence[Probe]) -> dict[str, int]:
    """Of each probe, how many items have a passage in the training texts of the run's tasks or in rehearsed text."""
    asked = {probe.spec.name: _words_of_items(probe) for probe in probes}
    # Passages of each length that some item has: a short item is looked for inside a long text too. Those of all probes
    # together, so that training texts are cut into words once.
    lengths = tuple(sorted({min(WORDS, len(words)) for items in asked.values() for item in items for words in item}))
    tested = tuple(task.model_dump_json() for task in run.tested)
    training_passages = [_of_task(task.model_dump_json(), tested, lengths) for task in run.training_tasks]
    if run.rehearsed:
        training_passages.append(_of_source(run.rehearsed.model_dump_json(), tested, lengths))

    def given_away(words: list[str]) -> bool:
        return any(passage in part for passage in _passages(words, min(WORDS, len(words))) for part in training_passages)

    return {name: sum(any(map(given_away, item)) for item in items) for name, items in asked.items()}


def _words_of_items(probe: Probe) -> list[list[list[str]]]:
    """The words of each text of each item that is long enough to say anything."""
    # What items belong to, as a title, is nothing that the model reads, unless the kind reads it or a template names it.
    label = {probe.spec.cluster} - probe.needs - probe.spec.named
    shown = [{name: value for name, value in row.items() if name not in label} for row in probe.rows]
    return [[words for text in texts(row) if len(words := words_of(text)) >= LEAST] for row in shown]


def texts(value: Any) -> Iterator[str]:
    """All text in a value, a mapping's or a list's too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from texts(part)


# By its JSON, since a spec holds dicts, and what is cached by must have a hash.
@lru_cache(maxsize=8)
def _of_task(dump: str, tested: tuple[str, ...], lengths: Lengths) -> frozenset[int]:
    train = splits.trained_examples(TaskSpec.model_validate_json(dump), _parsed_tasks(tested))
    return _passage_hashes((text for example in train for text in texts((example.fields, example.gold))), lengths)


@lru_cache(maxsize=4)
def _of_source(dump: str, tested: tuple[str, ...], lengths: Lengths) -> frozenset[int]:
    return _passage_hashes(splits.general_texts(Source.model_validate_json(dump), _parsed_tasks(tested)), lengths)


def _parsed_tasks(dumps: Iterable[str]) -> list[TaskSpec]:
    return [TaskSpec.model_validate_json(dump) for dump in dumps]


def _passage_hashes(training_texts: Iterable[str], lengths: Lengths) -> frozenset[int]:
    return frozenset(
        passage for words in map(words_of, set(training_texts)) for length in lengths for passage in _passages(words, length)
    )


def _passages(words: list[str], length: int) -> Iterator[int]:
    """Hashes of all runs of so many words."""
    for start in range(len(words) - length + 1):
        # Python's own hash: salted anew in each process, but passages are compared within one, and 8 bytes are small.
        yield hash(" ".join(words[start : start + length]))

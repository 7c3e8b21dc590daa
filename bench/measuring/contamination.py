"""Probe items that training data gives away: whoever has trained on a passage has not remembered it from before."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from bench.data import sources, taskdata
from bench.plan import Run
from bench.probes import Probe
from bench.specs.source import Source
from bench.specs.task import TaskSpec

WORDS = 13
"""Length of a shared passage (Brown et al. 2020, appendix C); a shorter text counts as a whole, from `LEAST` words on."""
LEAST = 6


def items(run: Run, probe: Probe) -> int:
    """How many of the probe's items share a passage with the training texts of the run's tasks or with rehearsed text."""
    known = [_of_task(task.model_dump_json()) for task in run.trained]
    if run.strategy.rehearsal and run.model.family == "decoder":
        known.append(_of_source(run.strategy.rehearsal.model_dump_json()))
    return sum(any(passage in part for passage in passages(_texts(row)) for part in known) for row in probe.rows)


def passages(texts: Iterable[str]) -> Iterator[int]:
    """Hashes of all runs of `WORDS` words of each text, in lower case and without punctuation."""
    for text in set(texts):
        words = re.findall(r"\w+", text.lower())
        if len(words) >= LEAST:
            for start in range(max(1, len(words) - WORDS + 1)):
                yield hash(" ".join(words[start : start + WORDS]))


@lru_cache(maxsize=8)
def _of_task(dump: str) -> frozenset[int]:
    train = taskdata.load(TaskSpec.model_validate_json(dump)).train
    return frozenset(passages(text for example in train for text in example.fields.values()))


@lru_cache(maxsize=4)
def _of_source(dump: str) -> frozenset[int]:
    return frozenset(passages(str(row["text"]) for row in sources.rows(Source.model_validate_json(dump))))


def _texts(row: dict[str, Any]) -> list[str]:
    return [text for value in row.values() for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]

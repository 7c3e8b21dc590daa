"""The two sides of a comparison as rows, and which row of one is which of the other."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

from bench.groups import groups_by
from bench.hashing import digest
from bench.records.outcome import Score
from bench.records.record import Record
from reports.rows.aspects import (
    BEST_WORDING,
    MAX_LENGTH,
    MODEL_CONTENT,
    OF_DATA,
    OF_WORDING,
    STEP_BATCH,
    TASK_DEFINITION,
    Aspect,
    aspects,
)
from reports.rows.row import KINDS, Row
from reports.rows.rows import aggregate, determinants

Key = tuple[str, str, str, str]
"""Suite, model, task and strategy."""
Defined = Callable[[Record], Mapping[str, Any]]
THROUGH_CHANGES = (MODEL_CONTENT, BEST_WORDING, STEP_BATCH, MAX_LENGTH)
"""What may be another one on the new side, as hyper-parameters may: it is what was changed."""


@dataclass(frozen=True)
class Side:
    """One of the two folders that are compared."""

    name: str
    """As a person knows it: the folder, or the date and commit of what was accepted."""
    out: Path
    """The folder with its records."""
    records: Sequence[Record]

    @property
    def rows(self) -> list[Row]:
        return aggregate(self.records, self.out)


@dataclass(frozen=True)
class Match:
    """A row of the new side and the row of the old side that it is held against."""

    new: Row
    old: Row

    @property
    def where(self) -> str:
        """`sentiment: minilm on sst2: full`"""
        return named(self.new)

    @property
    def same_seeds(self) -> bool:
        """Whether both rows have the same seeds, which then drew the same examples."""
        new, old = ([run.setup.seed for run in row.records] for row in (self.new, self.old))
        return new == old

    @property
    def same_runs(self) -> bool:
        """Whether both rows are of the very same runs, as where one folder was never written to since. A run that was done
        again has the same id, and may answer otherwise."""
        new, old = ([(run.run_id, run.provenance.started) for run in row.records] for row in (self.new, self.old))
        return new == old

    @property
    def other_question(self) -> list[str]:
        """In what the two were not asked alike, of their task and their probes; none where they were."""
        return self._differing(_question_aspects((self.old, self.new)))

    @property
    def unlike(self) -> list[str]:
        """Why the two are not comparable; none where they are."""
        # Domains and other tasks are no part of a course's question: a history has the row's own number alone.
        reasons = [*self.other_question, *self._differing(_aspects_elsewhere((self.old, self.new)))]
        # A number that is asked no longer cannot be seen to fall.
        gone = [f"the probe {name}" for name in self.old.forgetting if self.new.trains and name not in self.new.forgetting]
        gone += [f"the task or domain {name}" for name in self.old.elsewhere if name not in self.new.elsewhere]
        reasons += [f"{what} was asked of the old one alone" for what in gone]
        # Without an interval nothing says how far chance moves it.
        bare = [row for row in (self.new, self.old) if row.score and row.score.low is None]
        return [*reasons, *(["its score has no interval"] if bare else [])]

    def _differing(self, compared: Iterable[Aspect]) -> list[str]:
        return [text for aspect in compared if (text := _aspect_difference(aspect, self.new, self.old))]

    @property
    def changed(self) -> list[str]:
        """What was changed on purpose, or by the environment, and is not a reason not to compare: `learning_rate 3e-05
        instead of 2e-05`."""
        new, old = (_changeable_settings(row) for row in (self.new, self.old))
        names = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
        return [f"{name} {_setting_text(new.get(name))} instead of {_setting_text(old.get(name))}" for name in names]


def named(row: Row) -> str:
    """`sentiment: minilm on sst2: full`"""
    suite, model, task = row.group
    return f"{suite}: {model} on {task}: {row.label}"


def key_of(row: Row) -> Key:
    """By what a row is known on both sides."""
    return (*row.group, row.setup.strategy)


def matched(new: Sequence[Row], old: Sequence[Row]) -> tuple[list[Match], list[Row], list[Row]]:
    """Rows with a score on both sides, and the rows that have none to be held against: of the new side, and of the old.

    Rows are the same by suite, model, task and strategy; where a side has several of a strategy, also by what sets these apart.
    """
    mine, theirs = _by_key(new), _by_key(old)
    matches = [match for key in theirs for match in _matches_of_key(mine.get(key, []), theirs[key])]
    used = {id(row) for match in matches for row in (match.new, match.old)}
    added, gone = ([row for row in side if row.score and id(row) not in used] for side in (new, old))
    return matches, added, gone


def failures(new: Sequence[Row], old: Sequence[Row]) -> Iterator[tuple[Row, list[Row], list[Row]]]:
    """Each old row that has a score, with what failed or was skipped of it on the new side and on the old: rows without a score
    that are like it in all in which rows of one side differ."""
    mine, theirs = groups_by(new, key_of), groups_by(old, key_of)
    for key, rows in theirs.items():
        sides = mine.get(key, []), rows
        # What differs between the sides alone is what was changed, and a failed run is still the row's.
        apart = _set_apart_by(sides[0]) | _set_apart_by(sides[1])
        for row in rows:
            if row.score:
                now, before = ([each for each in side if not each.score and _alike_in(apart, each, row)] for side in sides)
                yield row, now, before


def rows_once(baselines: Iterable[Sequence[Record]], counted: Sequence[Record] = ()) -> list[Row]:
    """The scored rows of each baseline, without runs that are counted already or stand in one before: a run tells once how far
    seeds move a number, however often it was accepted. Baselines are kept apart, because they may have other levels."""
    told, rows = {_told_by(record) for record in counted if record.status == "ok"}, list[Row]()
    for records in baselines:
        telling = {_told_by(record): record for record in records if record.status == "ok"}
        rows += aggregate([record for by, record in telling.items() if by not in told])
        told |= telling.keys()
    return [row for row in rows if row.score]


def _told_by(record: Record) -> tuple[str, str]:
    """A run that is done again keeps its id, and where it answers otherwise it tells something new."""
    return record.run_id, record.outcome.model_dump_json() if record.outcome else ""


def _by_key(rows: Sequence[Row]) -> dict[Key, list[Row]]:
    return groups_by((row for row in rows if row.score), key_of)


def _matches_of_key(new: Sequence[Row], old: Sequence[Row]) -> Iterator[Match]:
    """By all in which rows of one side differ, for what differs between the sides alone was changed; where two searches chose
    alike, also by these. Of the rest, by hyper-parameters that one row of either side has: what else differs is then told."""
    apart = _set_apart_by(new) | _set_apart_by(old)
    by_search = partial(_determinants_and_search_text, apart)
    for text_of in (partial(_determinants_text, apart), by_search, _hyperparameters_text):
        mine, theirs = groups_by(new, text_of), groups_by(old, text_of)
        matches = [Match(*mine[key], *rows) for key, rows in theirs.items() if len(rows) == len(mine.get(key, [])) == 1]
        yield from matches
        used = {id(row) for match in matches for row in (match.new, match.old)}
        new, old = ([row for row in rows if id(row) not in used] for rows in (new, old))


def _set_apart_by(rows: Sequence[Row]) -> set[str]:
    """Names of the determinants that not all of the rows have alike, as far as their records know them."""
    # A failed run that knows few of its settings would seem to differ in all others.
    whole = [row for row in rows if row.score or row.first.provenance.inputs]
    # As text, because values may be lists and objects, which no counter takes.
    counts = Counter((name, json.dumps(value)) for row in whole for name, value in determinants(row.first).items())
    return {name for (name, _), count in counts.items() if count < len(whole)}


def _alike_in(names: Collection[str], failed: Row, row: Row) -> bool:
    """Whether both have these determinants alike. A failed run whose record knows fewer is only held to those that it knows."""
    mine, theirs = determinants(failed.first), determinants(row.first)
    return all(mine.get(name) == theirs.get(name) for name in names if name in mine or failed.first.provenance.inputs)


def _determinants_text(names: Collection[str], row: Row) -> str:
    """The values that the row has of these determinants."""
    return json.dumps({name: value for name, value in determinants(row.first).items() if name in names})


def _determinants_and_search_text(names: Collection[str], row: Row) -> str:
    return _determinants_text(names, row) + json.dumps(row.first.provenance.inputs.get("search"), sort_keys=True)


def _hyperparameters_text(row: Row) -> str:
    return json.dumps(row.setup.hyperparameters, sort_keys=True)


def _aspect_difference(aspect: Aspect, new: Row, old: Row) -> str:
    """`budget: 512examples instead of 256examples`; empty where both are alike, or one does not know."""
    here, there = (sorted({value for run in row.records if (value := aspect.of(run))}) for row in (new, old))
    return f"{aspect.name}: {', '.join(here)} instead of {', '.join(there)}" if here and there and here != there else ""


def _question_aspects(rows: Sequence[Row]) -> list[Aspect]:
    """What must be alike on both sides. The model need not be, and where it is another, its best wording is an outcome."""
    # Another model may do better in other words, and that is what is compared. Of a task's definition each field is told; an
    # import knows its version alone.
    known = (*THROUGH_CHANGES, TASK_DEFINITION) if any(row.first.task_definition for row in rows) else THROUGH_CHANGES
    table = [aspect for aspect in aspects(rows) if aspect not in known]
    return [*table, *_definition_aspects("the task", attrgetter("task_definition"), rows, but=(*OF_WORDING, *OF_DATA))]


def _definition_aspects(whose: str, defined: Defined, rows: Sequence[Row], but: Sequence[str] = ()) -> list[Aspect]:
    """An aspect for each field of what defines a task or a domain."""
    names = dict.fromkeys(name for row in rows for name in defined(row.first) if name not in but)
    return [Aspect(f"{name} of {whose}", True, partial(_definition_field, defined, name)) for name in names]


def _definition_field(defined: Defined, name: str, record: Record) -> str | None:
    return _setting_text(defined(record)[name]) if name in defined(record) else None


def _aspects_elsewhere(rows: Sequence[Row]) -> Iterator[Aspect]:
    """What must be alike in each score on another task or domain. Its data has no hash of its own: its definition tells it."""
    for name in dict.fromkeys(name for row in rows for name in row.elsewhere):
        yield Aspect(f"items of {name}", True, _score_elsewhere(name, lambda score: f"{score.n:,}"))
        yield Aspect(f"metric of {name}", True, _score_elsewhere(name, lambda score: score.name))
        yield from _definition_aspects(name, partial(_definition_elsewhere, name), rows)


def _score_elsewhere(name: str, read: Callable[[Score], str]) -> Callable[[Record], str | None]:
    def of(record: Record) -> str | None:
        away = record.outcome.elsewhere.get(name) if record.outcome else None
        return read(away.score) if away else None

    return of


def _definition_elsewhere(name: str, record: Record) -> Mapping[str, Any]:
    """What defines another task that is asked, or a domain of the row's own."""
    tasks = (task for field in KINDS.values() for task in record.provenance.inputs.get(field) or ())
    # Domains are a part of the task's own file.
    domain = (record.task_definition.get("out_of_domain") or {}).get(name, {})
    return next((task for task in tasks if task["name"] == name), domain)


def _changeable_settings(row: Row) -> dict[str, Any]:
    """What a team may have changed between the two sides."""
    origin = row.first.provenance
    model = {"model's content": origin.model_hash[:8]} if origin.model_hash else {}
    # These two are fields of a suite, and change what a strategy does.
    read = {name: value for name, value in origin.inputs.items() if name in ("batch", "max_length")}
    return {**model, **row.setup.hyperparameters, **read, **origin.environment}


def _setting_text(value: Any) -> str:
    text = "none" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # The hash shows that two long values differ where their beginnings do not.
    return text if len(text) <= 40 else f"{text[:32]}… ({digest(value)[:6]})"

"""Which rows to pick: those that cost and forget no more than allowed, and that no other such row is better than.

The page's form has the same rule in templates/script/rule.js, on the same data, and a test in a browser holds the two together.
So words are made of texts that the data have, and no number is written anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.statistics.intervals import CONFIDENCE
from reports.rows.equal_cost import ONE_MACHINE_S

RankingLine = Mapping[str, Any]
"""A line of the ranking: see reports/boards/ranking.py."""
LIMITS = {
    "train_seconds": ("training", "trains for {} s", "trains in the least time"),
    "peak_memory_bytes": ("memory", "needs {} GB", "needs the least memory"),
    "saved_bytes": ("saved", "saves {}", "saves the fewest bytes"),
}
"""A cost -> the column that shows it, and how it is said that it is this, or the least."""


@dataclass(frozen=True)
class Wish:
    """What may it cost, at most; how much may each probe lose, in its own unit (a share as a share: .02 are 2 points); and the
    tasks that count, all where none is named."""

    limits: Mapping[str, float]
    forgetting: float | None = None
    tasks: Sequence[str] = ()


@dataclass(frozen=True)
class Chosen:
    """Among the rows of one suite and model. `picks` and `out` are names of rows with the reasons."""

    suite: str
    model: str
    tasks: list[str]
    picks: list[tuple[str, list[str]]]
    out: list[tuple[str, str]]
    said: str
    """What the picks are to each other."""

    @property
    def unasked(self) -> bool:
        """Whether no row has a score on all tasks that count."""
        return not self.picks and not self.out


@dataclass(frozen=True)
class Option:
    """One row on each task that counts."""

    label: str
    lines: Mapping[str, RankingLine]

    def most(self, cost: str) -> float | None:
        """Over the tasks; None where it is not known of one of them."""
        known = [line["cost"].get(cost) for line in self.lines.values()]
        return None if None in known else max(known)


def choices(suite: Mapping[str, Any], wish: Wish) -> list[Chosen]:
    """A choice for each model of a suite. `suite` has its `name`, and the ranking's `groups` and `table`."""
    lines = suite["table"]["lines"]
    models = dict.fromkeys(suite["groups"][line["group"]]["model"] for line in lines if _takes_part(line))
    return [_choice_of_model(suite, model, lines, wish) for model in models]


def _takes_part(line: RankingLine) -> bool:
    """Whether it is a model's, and has a score."""
    return bool(line["runs"]) and line["score"] is not None


def _choice_of_model(suite: Mapping[str, Any], model: str, lines: Sequence[RankingLine], wish: Wish) -> Chosen:
    of_task: dict[str, dict[str, RankingLine]] = {}
    for line in lines:
        group = suite["groups"][line["group"]]
        if group["model"] == model and _takes_part(line):
            of_task.setdefault(group["task"], {}).setdefault(line["label"], line)
    tasks = list(wish.tasks or of_task)
    known = [of_task.get(task, {}) for task in tasks]
    labels = [label for label in known[0] if all(label in each for each in known)]
    options = [Option(label, {task: each[label] for task, each in zip(tasks, known, strict=True)}) for label in labels]
    lacking = {
        label: f"has no score on {task}"
        # Later entries replace earlier ones, so that the first task that a row lacks is the one that is named.
        for task, each in reversed(list(zip(tasks, known, strict=True)))
        for label in (name for other in known for name in other)
        # Where no row has all tasks, nothing was chosen, and nothing was left out of a choice.
        if options and label not in each
    }
    # One reason is enough to leave a row out, and the first is told.
    dear = {option.label: why for option in options if (why := next(_too_much(suite, option, wish), ""))}
    fitting = [option for option in options if option.label not in dear]
    # A row that is too dear takes none with it that it would have beaten.
    ahead = {option.label: dict(_rows_ahead(option, fitting)) for option in fitting}
    above = {label: _rows_above(label, ahead) for label in ahead}
    picks = [option for option in fitting if all(option.label in above[label] for label in above[option.label])]
    worse = {option.label: next(iter(ahead[option.label].values())) for option in fitting if option not in picks}
    picked = [(option.label, list(_reasons(suite, option, picks, wish))) for option in picks]
    said = f"{_picks_in_words(suite, picks, tasks)}{_unlike_machines_sentence(suite, options, wish)}"
    return Chosen(suite["name"], model, tasks, picked, [*worse.items(), *dear.items(), *lacking.items()], said)


def _too_much(suite: Mapping[str, Any], option: Option, wish: Wish) -> Iterator[str]:
    for cost, limit in wish.limits.items():
        column, words, _ = LIMITS[cost]
        for task, line in option.lines.items():
            spent = line["cost"].get(cost)
            if spent is None:
                # A cost that nobody measured is within no limit.
                yield f"its {column} on {task} is not known"
            elif spent > limit:
                yield f"{words.format(_cell_text(suite, line, column))} on {task}"
    if wish.forgetting is not None:
        for task, line in option.lines.items():
            if not line["lost"]:
                yield f"what it forgets was not measured on {task}"
            for probe in suite["groups"][line["group"]]["probes"]:
                lost = line["lost"].get(probe)
                if probe not in line["lost"]:
                    # As little as of a cost is known of a loss that other rows were asked for.
                    yield f"what it forgets of {probe} was not measured on {task}"
                elif _probe_description(suite, line, probe)["share"] is None:
                    shown = _cell_text(suite, line, f"forgetting.{probe}")
                    yield f"loses {shown} of {probe} on {task}, which other rows measured otherwise"
                elif lost is None or lost[0] > _limit_as_shown(suite, line, probe, wish.forgetting):
                    yield f"loses {_loss_in_words(suite, line, probe)} on {task}"


def _rows_ahead(option: Option, others: Sequence[Option]) -> Iterator[tuple[str, str]]:
    """Than whom it is worse by more than chance on some task, and better on none; with the first such task in words."""
    for other in others:
        task = next((task for task in option.lines if _beats(other, option, task)), None)
        if task and not any(_beats(option, other, each) for each in option.lines):
            yield other.label, f"worse than {other.label} on {task}"


def _rows_above(label: str, ahead: Mapping[str, Mapping[str, str]]) -> set[str]:
    """All that a row is worse than, and that these are worse than, and so on. Over several tasks rows can go round in a circle,
    each worse than the next: of such none is left out for another."""
    above, waiting = set[str](), [label]
    while waiting:
        new = ahead[waiting.pop()].keys() - above
        above |= new
        waiting += new
    return above


def _beats(one: Option, other: Option, task: str) -> bool:
    """By more than chance, all pairs of the table looked at together, and all tasks that count (Bonferroni): with eight of them
    chance has eight times the occasions to leave out a row that is as good."""
    p = dict(other.lines[task]["better"]).get(one.lines[task]["number"])
    return p is not None and p * len(one.lines) <= 1 - CONFIDENCE


def _reasons(suite: Mapping[str, Any], option: Option, picks: Sequence[Option], wish: Wish) -> Iterator[str]:
    for task, line in option.lines.items():
        interval = _cell_part(suite, line, "score", 2)
        fallen = line.get("fallen")
        yield f"{task}: {_cell_text(suite, line, 'score')}{' ' + interval if interval else ''}{', ' + fallen if fallen else ''}"
    if len(picks) > 1:
        for cost, (_, _, words) in LIMITS.items():
            known = [most for each in picks if (most := each.most(cost)) is not None]
            # Of costs that are all alike, or not all known, none is the least.
            differ = len(known) == len(picks) and len(set(known)) > 1 and _comparable(suite, picks, cost)
            if differ and option.most(cost) == min(known):
                yield words
    if wish.forgetting is not None:
        for task, line in option.lines.items():
            for probe, lost in line["lost"].items():
                if lost[2] is not None and lost[2] > _limit_as_shown(suite, line, probe, wish.forgetting):
                    # A limit holds for what was measured; how far that may be off is for the reader to weigh.
                    interval = _cell_part(suite, line, f"forgetting.{probe}", 2)
                    yield f"may lose more than allowed of {probe} on {task}: {interval}"


def _comparable(suite: Mapping[str, Any], options: Sequence[Option], cost: str) -> bool:
    """Whether the options' costs of that kind may be held against each other."""
    groups = {line["group"] for option in options for line in option.lines.values()}
    return LIMITS[cost][0] not in ONE_MACHINE_S or all(suite["groups"][group]["one_machine"] for group in groups)


def _unlike_machines_sentence(suite: Mapping[str, Any], options: Sequence[Option], wish: Wish) -> str:
    """What is to be known of limits on costs that were measured on unlike machines."""
    if all(_comparable(suite, options, cost) for cost in wish.limits):
        return ""
    return " These rows were made on unlike machines: each one's seconds and memory are those of its own."


def _picks_in_words(suite: Mapping[str, Any], picks: Sequence[Option], tasks: Sequence[str]) -> str:
    if not picks:
        return "No row is within what was asked."
    if len(picks) == 1:
        return "One row is left."
    if any(_beats(one, other, task) for one in picks for other in picks for task in tasks):
        return f"{len(picks)} rows are left; some are better than others on one task, so it depends on which task counts more."
    if bare := [each.label for each in picks if any(line["score"][1] is None for line in each.lines.values())]:
        return f"{len(picks)} rows are left; {' and '.join(bare)} without intervals, so that nothing is known of differences."
    where = f"{', '.join(tasks)}{', looked at together' if len(tasks) > 1 else ''}"
    tie = f"{len(picks)} rows are left, a tie: none is better than another by more than chance on {where}."
    groups = {task: suite["groups"][picks[0].lines[task]["group"]] for task in tasks}
    missed = [
        f" On {task}, differences between {group['smallest_between'] or 'rows'} are mostly not found below {group['smallest']}."
        for task, group in groups.items()
        if group["smallest"]
    ]
    return tie + "".join(missed)


def _limit_as_shown(suite: Mapping[str, Any], line: RankingLine, probe: str, limit: float) -> float:
    """As losses are shown: shares in points. 100 * .29 is a little less than 29, which a loss of 29 points is not above."""
    return round(100 * limit, 9) if _probe_description(suite, line, probe)["share"] else limit


def _loss_in_words(suite: Mapping[str, Any], line: RankingLine, probe: str) -> str:
    return f"{_cell_text(suite, line, f'forgetting.{probe}')} {_probe_description(suite, line, probe)['unit']} of {probe}"


def _probe_description(suite: Mapping[str, Any], line: RankingLine, probe: str) -> Mapping[str, Any]:
    """Its `unit`, and whether it is a `share`: None where the rows of the table measured it in unlike ways."""
    described: Mapping[str, Any] = suite["groups"][line["group"]]["probes"][probe]
    return described


def _cell_text(suite: Mapping[str, Any], line: RankingLine, key: str) -> str:
    return _cell_part(suite, line, key, 0)


def _cell_part(suite: Mapping[str, Any], line: RankingLine, key: str, part: int) -> str:
    """A part of the cell in the column of that key."""
    place = next(place for place, column in enumerate(suite["table"]["columns"]) if column["key"] == key)
    cell = line["cells"][place]
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell if part == 0 else ""
    return str(cell[part] or "") if part < len(cell) else ""

"""The ranking's lines and groups: what they are filtered by, who is better than whom, and who is said to be ahead."""

import re

import pytest

from reports.boards.ranking import ranking, standings_of
from reports.rows.rows import aggregate, ranked


@pytest.fixture
def found(make, out):
    rows = ranked(aggregate(make.kept(out, make.suite(2)), out))
    return rows, standings_of(rows), ranking(rows, standings_of(rows))


def test_lines_say_what_they_are_filtered_by(found):
    lines = {line["label"]: line for line in found[2]["table"]["lines"]}
    full, untrained = lines["full"], lines["zero-shot"]
    assert (full["budget"], full["seeds"], full["trains"], len(full["runs"])) == ("512examples", 2, True, 2)
    assert (untrained["budget"], untrained["seeds"], untrained["trains"]) == ("none", 1, False)
    assert full["score"][0] == pytest.approx(88) and full["cost"]["saved_bytes"] == 538_060_000
    assert full["lost"].keys() == {"wikipedia", "lambada", "arc-easy"}


def test_better_rows_are_those_of_the_standing(found):
    rows, standings, encoded = found
    (standing,) = standings.values()
    for row, line in zip(rows, encoded["table"]["lines"], strict=True):
        best, worst = standing.of(row)
        assert best == 1 + len(line["better"])
        assert worst == len(rows) - sum(line["number"] in better_than(other) for other in encoded["table"]["lines"])
    assert encoded["table"]["lines"][-1]["better"]


def better_than(line):
    return [number for number, _ in line["better"]]


def test_pairs_are_differences_of_scores_as_they_are_shown(found):
    lines, (group,) = found[2]["table"]["lines"], found[2]["groups"]
    assert len(group["pairs"]) == 21
    told = {(number, line["number"]): p for line in lines for number, p in line["better"]}
    for one, other, value, low, high, p, paired in group["pairs"]:
        assert told.get((one, other), told.get((other, one), p)) == pytest.approx(p, abs=1e-3)
        assert value == pytest.approx(lines[one]["score"][0] - lines[other]["score"][0], abs=1e-3)
        assert (
            low <= value <= high
            and paired == 1
            and (p <= 0.05) == (one in better_than(lines[other]) or other in better_than(lines[one]))
        )


def test_group_says_what_was_measured_on_how_many_items(found):
    (group,) = found[2]["groups"]
    assert (group["model"], group["task"], group["measure"], group["unit"], group["items"]) == (
        "smollm2", "sst2", "accuracy", "points", 200,
    )  # fmt: skip
    assert group["probes"]["wikipedia"] == {"unit": "nats per token", "share": False}


def test_rows_that_were_asked_in_different_words_are_drawn_over_one_base(make):
    rows = ranked(aggregate([record for record, _ in make.two_wordings()]))
    encoded = ranking(rows, standings_of(rows))
    assert [group["compared"] for group in encoded["groups"]] == ["over_best"]
    assert [line["over_best"][0] for line in encoded["table"]["lines"]] == pytest.approx([30, 15])
    alone = ranking(rows[:1], {})
    assert [group["compared"] for group in alone["groups"]] == ["gain"]


def test_a_failed_row_does_not_say_which_scores_are_better(make):
    """Wherever it stands."""
    record, _ = make.record("full")
    lower = make.changed(record, score=record.outcome.score.model_copy(update={"higher_is_better": False}))
    rows = aggregate([make.failed(), lower])
    assert [group["higher"] for group in ranking(rows, standings_of(rows))["groups"]] == [False]


def said(make, out, **scores):
    rows = aggregate(make.kept(out, [make.record(name, accuracy=score) for name, score in scores.items()]), out)
    (group,) = ranking(rows, standings_of(rows))["groups"]
    return group["said"]


def test_a_group_says_what_was_found_and_how_sure_that_is(make, out):
    ahead, forgotten, smallest, seed = said(make, out / "a", full=0.9, frozen=0.6)
    assert ahead == "Ahead is full: by more than chance it is better than all others, and none is better than it."
    assert forgotten.startswith("Forgotten by the row ahead: ")
    assert smallest.startswith("Between two rows, a difference below ") and seed.startswith("One seed: ")
    assert said(make, out / "b", full=0.9) == []


def test_a_smallest_difference_has_its_range_and_its_family(make, out):
    """As in the captions. `tunebench choose` and the page's form print this text. Of one seed there is no range."""
    rows = aggregate(make.kept(out / "seeds", make.suite(2)), out / "seeds")
    (group,) = ranking(rows, standings_of(rows))["groups"]
    told = r"[\d.]+ points \(80 % range [\d.]+ to [\d.]+; after Holm over all 21 pairs\)"
    assert re.fullmatch(told, group["smallest"]) and any(group["smallest"] in sentence for sentence in group["said"])
    pair = [make.record(name, accuracy=score) for name, score in (("full", 0.9), ("frozen", 0.6))]
    rows = aggregate(make.kept(out / "one", pair), out / "one")
    (group,) = ranking(rows, standings_of(rows))["groups"]
    assert re.fullmatch(r"[\d.]+ points \(after a look at the one pair\)", group["smallest"])


def test_a_smallest_difference_is_told_of_the_rows_whose_it_is(found, make, out):
    """Planted fault: of models behind an API, of which none trains, it was told of rows that train."""
    (group,) = found[2]["groups"]
    assert any(said.startswith("Between rows that train, a difference below ") for said in group["said"])
    pair = [make.record(name, accuracy=score, trainable=0) for name, score in (("zero-shot", 0.6), ("few-shot", 0.7))]
    rows = aggregate(make.kept(out / "asked", pair), out / "asked")
    (group,) = ranking(rows, standings_of(rows))["groups"]
    assert any(said.startswith("Between two rows, a difference below ") for said in group["said"])

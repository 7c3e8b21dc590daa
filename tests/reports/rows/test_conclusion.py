"""Three sentences on a table: each follows from what the table's statistics say, and changes with it."""

from dataclasses import replace

import pytest

from bench.records.record import Tuning
from bench.statistics.estimates import Estimate
from bench.statistics.study_size import Pilot
from reports.rows import conclusion as module
from reports.rows.conclusion import conclusion, next_step
from reports.rows.pilots import pilot_of
from reports.rows.rows import aggregate
from reports.rows.standing import score_standing


def concluded(rows):
    standing = score_standing(rows)
    return [*conclusion(rows, standing), *next_step(rows, standing)]


def said(make, out, records):
    return concluded(aggregate(make.kept(out, records), out))


def test_the_top_group_is_named_and_its_losses(make, out):
    records = [make.record(name, accuracy=share) for name, share in (("full", 0.9), ("frozen", 0.89), ("lora", 0.6))]
    rows = aggregate(make.kept(out, records), out)
    ahead, forgot, then = concluded(rows)
    assert score_standing(rows).top == ["full", "frozen"]
    assert ahead.startswith("Ahead are full and frozen, which can't be told apart; each other row is worse than some row")
    lost = {
        row.label: [n for n, part in row.forgetting.items() if part.lost.significant and part.lost.value > 0] for row in rows
    }
    assert lost["full"] and all(name in forgot for label in ("full", "frozen") for name in lost[label])
    assert "lora" not in forgot and then == "Next: --seeds 3; one seed says nothing of how far another would move these scores."


def test_one_row_ahead_and_none_ahead(make, out):
    one = said(
        make, out, [make.record("full", accuracy=0.95), make.record("frozen", accuracy=0.6), make.record("lora", accuracy=0.59)]
    )
    assert one[0] == "Ahead is full: by more than chance it is better than all others, and none is better than it."


def test_no_row_ahead_is_told(make, out):
    records = [make.record(name, accuracy=share) for name, share in (("full", 0.75), ("frozen", 0.745))]
    assert said(make, out, records)[0] == "No row is ahead of another by more than chance."


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        ({"full": 0.85, "frozen": 0.85}, "No row is ahead of another by more than chance."),
        (
            {"full": 0.85, "frozen": 0.6, "lora": 0.6},
            "Ahead is full: by more than chance it is better than all others, and none is better than it.",
        ),
    ],
)
def test_a_row_without_an_interval_is_said_to_have_no_place(make, out, others, sentence):
    """Planted fault: one that scored highest was "worse than some row by more than chance", and what the row ahead is better
    than was counted in another row's pairs."""
    record = make.record("theirs", 0, 0.95)[0]
    score = record.outcome.score.model_copy(update={"ci_low": None, "ci_high": None})
    pairs = [make.record(name, seed, value + 0.005 * seed) for name, value in others.items() for seed in range(3)]
    rows = aggregate([make.changed(record, score=score), *make.kept(out, pairs)], out)
    assert conclusion(rows, score_standing(rows))[0] == f"{sentence} theirs has no interval and no place."


def test_what_to_try_next_is_what_the_pilot_says_would_suffice(make, out, monkeypatch):
    rows = aggregate(make.kept(out, make.suite(3)), out)
    top = [row for row in rows if row.trains][:2]
    assert isinstance(pilot_of(rows), Pilot)

    def told(needed):
        monkeypatch.setattr(Pilot, "items_for", lambda self, difference, seeds: needed(seeds))
        return module._advice_to_tell_apart(top, rows, pilot_of(rows), "s")

    # 3 seeds were asked 200 of the task's 872 items: so are the next, unless they are asked more.
    assert told(lambda seeds: 200 if seeds >= 5 else None).startswith("--seeds 5; if ")
    assert told(lambda seeds: 500 if seeds >= 5 else None).startswith("--seeds 5 --test-items 500; if ")
    assert told(lambda seeds: 500).startswith("--test-items 500; if ")
    assert told(lambda seeds: 900 if seeds < 5 else 150).startswith("--seeds 5; if ")
    assert told(lambda seeds: 150).startswith("--seeds 4; if ")  # these should have told it already
    assert told(lambda seeds: 40_000).startswith("more test items; if ") and "about 40,000 with 10 seeds" in told(
        lambda seeds: 40_000
    )
    assert told(lambda seeds: None).startswith("take the cheapest row that is ahead; ")


def test_what_is_tied_may_be_told_apart_by_more_runs(make, out):
    """A row that trains beside one that does not. Planted fault: more runs were said to change nothing."""
    tuned = {"tuning": Tuning(trials=4)}
    still = [make.record("few-shot", seed, 0.80, trainable=0) for seed in range(2)]
    full = [make.record("full", seed, 0.81 + 0.01 * seed, **tuned) for seed in range(2)]
    then = said(make, out, [*still, *full])[2]
    assert then == "Next: more seeds or test items; few-shot and full can't be told apart by these."
    far = [make.record("full", seed, 0.99 + 0.001 * seed, **tuned) for seed in range(2)]
    assert said(make, out.with_name("far"), [make.record("few-shot", 0, 0.6, trainable=0), *far])[2].startswith(
        "Next: another task"
    )


def test_what_collapsed_is_mended_first_and_fewer_than_two_rows_say_nothing(make, out):
    assert said(make, out, [make.record("full")]) == []
    record, frame = make.record("full", accuracy=0.9)
    fallen = make.changed(record, outcome=record.outcome.model_copy(update={"collapsed": "one answer to everything"}))
    # Which way the learning rate should go hangs on the run's losses, and is told with the run.
    assert said(make, out, [(fallen, frame), make.record("frozen", accuracy=0.6)])[2] == (
        "Next: full is no better than a constant answer; a larger --budget or another rate may mend that."
    )


def test_what_rows_that_are_behind_forgot_is_not_told_and_the_sentence_says_so(make, out):
    records = [make.record(name, accuracy=accuracy) for name, accuracy in (("full", 0.95), ("frozen", 0.5))]
    assert said(make, out, records)[1].startswith("Forgotten by the row ahead: ")
    assert said(make, out, [make.record(name, accuracy=0.7) for name in ("one", "two")])[1].startswith("Forgotten: ")


@pytest.mark.parametrize(("trainable", "words"), [(0, "train nothing"), (10, "no probe was asked")])
def test_what_forgot_nothing_and_what_was_not_asked(make, out, trainable, words):
    def unprobed(record, frame):
        bare = record.outcome.model_copy(update={"forgetting": {}})
        return make.changed(record, outcome=bare), frame[frame["kind"] == "task"]

    records = [make.record(name, accuracy=0.7, trainable=trainable) for name in ("one", "two")]
    assert words in said(make, out, [unprobed(*each) for each in records] if trainable else records)[1]


def test_of_rows_that_do_not_say_whether_they_train_nothing_is_said(make, out):
    """As of lm-evaluation-harness' results."""

    def imported(record, frame):
        return make.changed(record, cost=record.cost.model_copy(update={"train_examples": None})), frame

    records = [imported(*make.record(name, accuracy=0.7)) for name in ("lora", "whole")]
    told = said(make, out, [*records, make.record("zero-shot", accuracy=0.7, trainable=0)])
    assert told[1] == "Forgotten: not known, since it is not known whether lora and whole trained."
    assert told[-1] == "Next: train something; no row is known to have done so."


def test_a_row_of_which_one_seed_collapsed_is_not_said_to_be_no_better_than_a_constant(make, out):
    first = make.record("full", 0, accuracy=0.5, collapsed="all answers are one")
    sound = [make.record("full", seed, accuracy=0.9) for seed in (1, 2)]
    frozen = [make.record("frozen", seed, accuracy=0.8) for seed in range(3)]
    assert said(make, out, [first, *sound, *frozen])[-1].startswith("Next: full collapsed to a constant answer with some seeds")
    assert said(make, out / "all", [first, frozen[0]])[-1].startswith("Next: full is no better than a constant answer")


def test_of_losses_without_an_interval_nothing_is_said(make):
    """As of imported results, and of distances from the base."""
    records = [make.record(name, accuracy=share)[0] for name, share in (("full", 0.9), ("frozen", 0.89))]
    rows = [
        replace(
            row,
            forgetting={
                name: replace(part, lost=Estimate(0.9, None, None, "items", 1)) for name, part in row.forgetting.items()
            },
        )
        for row in aggregate(records)
    ]
    (forgot,) = [sentence for sentence in conclusion(rows, score_standing(rows)) if sentence.startswith("Forgotten")]
    assert forgot == "Forgotten: not known, since the losses of full and frozen have no intervals."


def test_a_probe_that_a_row_does_better_on_is_not_said_to_be_lost(make, out):
    probes = {"wikipedia": ("loss (nats per token)", 3.2, 3.4), "arc-easy": ("accuracy", 0.3, 0.8)}
    rows = aggregate(
        make.kept(out, [make.record(name, 0, share, probes) for name, share in (("full", 0.9), ("frozen", 0.6))]), out
    )
    better = rows[0].forgetting["arc-easy"].lost
    assert better.significant and better.value < 0
    forgot = concluded(rows)[1]
    assert forgot.startswith("Forgotten by the row ahead: full lost ") and "wikipedia" in forgot and "arc-easy" not in forgot

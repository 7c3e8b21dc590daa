"""Tables of records as what simulated tables are drawn from, or the reason why there is nothing to draw from."""

import numpy as np
import pytest

from bench.metrics import counted
from bench.records.store import as_text
from reports.rows.rows import aggregate
from reports.rows.simulation_inputs import likeness_of, probe_likenesses
from reports.rows.standing import forgetting_standing, score_standing


def test_rows_that_train_are_read_with_their_seeds(make, out):
    found = [make.record(name, seed, 0.8 + 0.02 * seed) for name in ("full", "frozen") for seed in range(3)]
    rows = aggregate(make.kept(out, [*found, make.record("zero-shot", trainable=0)]), out)
    of = likeness_of(rows, out)
    assert of.chances.shape == (2, 200) and of.seeds == 3
    assert of.truths == pytest.approx([0.82, 0.82], abs=0.01) and of.scoring.untouched == pytest.approx(0.55)
    assert of.sd**2 <= np.var([0.8, 0.82, 0.84], ddof=1)


def test_the_fewest_seeds_of_a_row_are_taken(make, out):
    found = [make.record("full", seed) for seed in range(3)] + [make.record("frozen", seed) for seed in range(2)]
    assert likeness_of(aggregate(make.kept(out, found), out), out).seeds == 2


def test_the_whole_table_s_pairs_and_what_it_prints_are_known(make, out):
    found = [make.record(name, seed, 0.8 + 0.04 * seed) for name in ("full", "frozen") for seed in range(3)]
    rows = aggregate(make.kept(out, [*found, make.record("zero-shot", trainable=0)]), out)
    of, standing = likeness_of(rows, out), score_standing(rows)
    assert (of.family, of.printed) == (3, standing.detectable.value)
    # Of three and four seeds it would be another number than of three and three, which are drawn.
    more = aggregate(make.kept(out, [*found, make.record("full", 3, 0.84), make.record("zero-shot", trainable=0)]), out)
    assert (likeness_of(more, out).family, likeness_of(more, out).printed) == (3, None)


def test_what_is_printed_of_other_rows_is_not_planted(make, out):
    """Where one sound row alone trains, the caption tells of it and the untrained ones, and what is drawn is all that train."""

    def fallen(seed):
        record, frame = make.record("lora", seed, 0.5 + 0.04 * seed)
        return make.changed(record, outcome=record.outcome.model_copy(update={"collapsed": "all answers are 'one'"})), frame

    sound = [make.record("full", seed, 0.8 + 0.04 * seed) for seed in range(2)]
    rows = aggregate(make.kept(out, [*sound, fallen(0), fallen(1), make.record("zero-shot", trainable=0)]), out)
    of = likeness_of(rows, out)
    assert (len(of.chances), of.family, of.printed) == (2, 3, None) and of.sd > 0


def test_a_printed_difference_of_seeds_that_hardly_vary_is_not_planted(make, out):
    """By chance all seeds have one score, though they answer differently: no tables can be drawn like that."""
    rows = aggregate(make.kept(out, [make.record(name, seed) for name in ("full", "frozen") for seed in range(2)]), out)
    of = likeness_of(rows, out)
    assert (of.sd, of.family, of.printed) == (0.0, 1, None) and score_standing(rows).detectable.value > 0


def test_graded_answers_are_read_with_their_values(make, out):
    """F1 of 1, 2/3 and 0 in turn; the untouched model always has 2/3."""

    def graded(name, seed):
        record, frame = make.record(name, seed)
        task = frame["kind"] == "task"
        frame.loc[task, ["gold", "before"]] = ['["p q r s"]', '["p q"]']
        drawn = np.random.default_rng([len(name), seed]).integers(3, size=task.sum())
        frame.loc[task, "prediction"] = np.array(['["p q r s"]', '["p q"]', '["x"]'])[drawn]
        score = record.outcome.score.model_copy(update={"name": "squad_f1"})
        return make.changed(record, score=score, metrics={"squad_f1": score}), frame

    rows = aggregate(make.kept(out, [graded(name, seed) for name in ("full", "frozen") for seed in range(3)]), out)
    of = likeness_of(rows, out)
    assert of.chances.shape == (2, 200) and of.scoring.base[:, 0] == pytest.approx(np.full(200, 2 / 3))
    assert of.truths == pytest.approx([5 / 9, 5 / 9], abs=0.05) and of.part == pytest.approx(np.sqrt(0.7), abs=0.05)


def test_entities_are_read_with_their_counts(make, out):
    found = [make.entities(name, seed) for name in ("full", "frozen") for seed in range(3)]
    rows = aggregate(make.kept(out, found), out)
    of, standing = likeness_of(rows, out), score_standing(rows)
    values = [[record.outcome.score.value for record in row.records] for row in rows]
    assert of.truths == pytest.approx(np.mean(values, axis=1), abs=0.005) and 0.3 < of.truths.mean() < 0.9
    assert (of.scoring.scale, of.scoring.untouched, of.share(0.5)) == ("logit", 0.0, None) and of.sd > 0
    assert (of.family, of.printed, of.share_of_items) == (1, standing.detectable.value, True)


def test_what_is_printed_of_a_score_from_0_to_100_is_planted_as_a_share(make, out):
    def written(name, seed):
        record, frame = make.record(name, seed)
        task = frame["kind"] == "task"
        generator = np.random.default_rng([len(name), seed])
        texts = [
            " ".join("abcdefgh"[: length - cut]) for length, cut in generator.integers([5, 0], [9, 4 - seed], (task.sum(), 2))
        ]
        frame.loc[task, ["gold", "before"]] = ['["a b c d e f g h"]', "a b c d e"]
        frame.loc[task, "prediction"] = texts
        value = counted("bleu").value(texts, [["a b c d e f g h"]] * len(texts))
        score = record.outcome.score.model_copy(update={"name": "bleu", "value": value, "share": False})
        return make.changed(record, score=score, metrics={"bleu": score}), frame

    rows = aggregate(make.kept(out, [written(name, seed) for name in ("full", "frozen") for seed in range(3)]), out)
    of, standing = likeness_of(rows, out), score_standing(rows)
    assert standing.detectable.value > 1 and of.truths * 100 == pytest.approx([row.score.value for row in rows], abs=1)
    assert of.sd and of.printed == pytest.approx(standing.detectable.value / 100) and not of.share_of_items


def test_rankings_of_a_probe_are_read_with_what_is_printed_of_their_losses(make, out):
    found = [make.ranking(name, seed) for name in ("full", "frozen") for seed in range(3)]
    rows = aggregate(make.kept(out, [*found, make.record("zero-shot", trainable=0)]), out)
    ((probe, of),) = probe_likenesses(rows, out)
    standing = forgetting_standing(rows, "mrpc")
    assert (probe, of.rows, of.seeds, of.items, of.unit) == ("mrpc", 2, 3, 120, "points") and not of.share_of_items
    assert of.truths == pytest.approx([row.forgetting["mrpc"].after for row in rows if row.trains], abs=0.02)
    assert of.untouched == pytest.approx(rows[0].forgetting["mrpc"].before) and of.sd > 0
    assert (of.family, of.printed) == (1, standing.detectable.value)


def test_losses_of_a_probe_are_in_their_own_unit(make, out):
    found = [make.record(name, seed) for name in ("full", "frozen") for seed in range(2)]
    rows = aggregate(make.kept(out, found), out)
    likenesses = dict(probe_likenesses(rows, out))
    assert set(likenesses) == {"wikipedia", "lambada", "arc-easy"} and likenesses["wikipedia"].unit == "nats per token"
    assert likenesses["wikipedia"].truths == pytest.approx([row.forgetting["wikipedia"].after for row in rows])
    alone = aggregate(make.kept(out / "alone", [make.record("full")]), out / "alone")
    assert list(probe_likenesses(alone, out / "alone")) == []


def test_perplexity_is_read_in_its_own_unit(make, out):
    def modelled(name, seed):
        record, frame = make.record(name, seed)
        task = frame["kind"] == "task"
        generator = np.random.default_rng([len(name), seed])
        nats = 60 + 10 * np.random.default_rng(0).random(task.sum()) + generator.normal(0, 1, task.sum()) + seed
        frame.loc[task, "gold"] = ""
        frame.loc[task, ["before", "prediction"]] = [
            [as_text([70.0, 20.0, 90.0]), as_text([each, 20.0, 90.0])] for each in nats
        ]
        value = float(np.exp(nats.sum() / (20 * len(nats))))
        score = record.outcome.score.model_copy(
            update={"name": "perplexity", "value": value, "share": False, "higher_is_better": False}
        )
        return make.changed(record, score=score, metrics={"perplexity": score}), frame

    rows = aggregate(make.kept(out, [modelled(name, seed) for name in ("full", "frozen") for seed in range(3)]), out)
    of = likeness_of(rows, out)
    assert of.unit == "perplexity" and of.untouched == pytest.approx(np.exp(3.5)) and not of.share_of_items
    assert of.truths == pytest.approx([row.score.value for row in rows], rel=0.01)
    assert of.printed == score_standing(rows).detectable.value


def changed_probe(make, record, value_name):
    probe = record.outcome.forgetting["mrpc"].model_copy(update={"value_name": value_name})
    return make.changed(record, forgetting={"mrpc": probe})


def test_reasons_why_nothing_is_drawn(make, out):
    one = aggregate(make.kept(out, [make.record("full")]), out)
    assert "run it with --seeds 2 or more" in likeness_of(one, out)
    assert likeness_of(aggregate([make.record("zero-shot", trainable=0)[0]]), out) == "no row trains"
    bare = aggregate([make.record("bare", seed)[0] for seed in range(2)])
    assert "bare has no answers from which other values of accuracy could be drawn" in likeness_of(bare, out)
    (record, frame), (other, same) = (make.record("other", seed) for seed in range(2))
    renamed = [(record, frame.assign(item="x" + frame["item"])), (other, same.assign(item="x" + same["item"]))]
    graded = [make.ranking(name, seed) for name in ("full", "frozen") for seed in range(2)]
    named = [(changed_probe(make, record, "Spearman correlation"), frame) for record, frame in graded]
    ((_, reason),) = probe_likenesses(aggregate(make.kept(out / "graded", named), out / "graded"), out / "graded")
    assert reason == "full has no answers from which other values of mrpc could be drawn"
    mixed = aggregate(make.kept(out, [*renamed, *(make.record("full", seed) for seed in range(2))]), out)
    assert likeness_of(mixed, out) == "its rows were asked different items"

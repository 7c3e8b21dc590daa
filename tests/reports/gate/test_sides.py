"""Which row is held against which, and what makes two rows answers to different questions."""

import pytest

from bench import ENGINE_VERSION
from bench.records import store
from bench.records.record import Import
from reports.gate.sides import Match, key_of, matched, rows_once
from reports.rows.rows import aggregate


def rows(pairs):
    return aggregate([record for record, _ in pairs])


def unlike(make, sides, **changes):
    new, old = (
        rows([make.record("full", seed, **{"inputs": {"task": {"name": "sst2", "version": 1}}, **each}) for seed in range(2)])
        for each in (changes, {})
    )
    return Match(new[0], old[0])


def test_rows_are_matched_by_suite_model_task_and_strategy(make, sides):
    new, old = rows(sides.pairs()), rows([*sides.pairs(seeds=(7, 8)), make.record("lora-8bit", 0)])
    matches, added, gone = matched([*new, *rows([make.record("few-shot", 0)])], old)
    assert [match.where for match in matches] == [f"sentiment: smollm2 on sst2: {n}" for n in ("full", "frozen", "zero-shot")]
    assert [row.label for row in added] == ["few-shot"] and [row.label for row in gone] == ["lora-8bit"]
    assert all(key_of(match.new) == key_of(match.old) for match in matches)


def test_variants_of_a_strategy_are_matched_by_their_hyperparameters(make):
    rates = [make.record("full", seed, hyperparameters={"learning_rate": rate}) for rate in (1e-5, 2e-5) for seed in range(2)]
    other = make.record("full", 0, hyperparameters={"learning_rate": 3e-5})
    matches, added, gone = matched(rows([*rates, other]), rows(rates))
    assert [match.new.setup.hyperparameters for match in matches] == [{"learning_rate": 1e-5}, {"learning_rate": 2e-5}]
    assert all(match.new.setup == match.old.setup for match in matches) and len(added) == 1 and not gone


def of_budgets(make, *budgets, **changes):
    return rows([make.record("full", seed, budget=b, inputs={"budget": b, **changes}) for b in budgets for seed in range(2)])


def budgets_of(matches):
    return [(match.new.setup.budget, match.old.setup.budget) for match in matches]


def test_rows_of_several_budgets_are_matched_by_them(make):
    """Also after a change that the two sides do not share, and where a side has one of them."""
    both = of_budgets(make, "256examples", "512examples")
    for new in (both, of_budgets(make, "512examples", "256examples", engine=2)):
        matches, added, gone = matched(new, both)
        assert budgets_of(matches) == [("256examples",) * 2, ("512examples",) * 2] and not added and not gone
        assert not any(match.unlike for match in matches)
    matches, added, gone = matched(of_budgets(make, "512examples"), both)
    assert budgets_of(matches) == [("512examples",) * 2] and [row.setup.budget for row in gone] == ["256examples"]


def test_another_budget_of_one_row_among_several_is_told(make):
    """What is left over is the same row, where one of each side has its hyper-parameters; of several none is taken."""
    old = of_budgets(make, "256examples", "512examples")
    matches, added, gone = matched(of_budgets(make, "256examples", "1024examples"), old)
    assert (
        [match.unlike for match in matches] == [[], ["budget: 1024examples instead of 512examples"]] and not added and not gone
    )
    matches, added, gone = matched(of_budgets(make, "64examples", "128examples"), old)
    assert not matches and len(added) == len(gone) == 2


def of_searches(make, *trainings):
    searches = [{"options": {"trials": 4, "seeds": each}} for each in trainings]
    return rows([make.record("full", seed, inputs={"search": search}) for search in searches for seed in range(2)])


def test_two_searches_that_chose_alike_are_matched_by_them(make):
    once, twice = of_searches(make, 1, 2)
    matches, added, gone = matched([once, twice], [twice, once])
    assert [match.new is match.old for match in matches] == [True, True] and not added and not gone
    matches, added, gone = matched([once, twice], [twice])
    assert [match.new for match in matches] == [twice] and added == [once] and not gone
    # Another search for the one row of a strategy was a change.
    assert len(matched([once], [twice])[0]) == 1


def test_one_row_of_a_strategy_is_matched_whatever_its_hyperparameters(make, sides):
    match = unlike(make, sides, hyperparameters={"learning_rate": 5e-5, "warmup": 0.1})
    assert match.unlike == [] and match.changed == ["learning_rate 5e-05 instead of 2e-05"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"data_hash": "ff" * 32}, "data: ffffffff instead of cdcdcdcd"),
        ({"budget": "64examples"}, "budget: 64examples instead of 512examples"),
        ({"engine_version": 99}, f"engine version: 99 instead of {ENGINE_VERSION}"),
        ({"device": {"type": "cpu", "precision": "bf16"}}, "precision: bf16 instead of fp32"),
        ({"inputs": {"task": {"name": "sst2", "version": 2}}}, "version of the task: 2 instead of 1"),
        ({"inputs": {"task": {"name": "sst2", "version": 1, "prompt": "Film: {text}"}}}, ""),
        ({"inputs": {"task": {"name": "sst2", "version": 1, "labels": ["a"]}}}, ""),
    ],
)
def test_different_questions_are_named(make, sides, changes, told):
    assert unlike(make, sides, **changes).unlike == ([told] if told else [])


def test_wordings_that_differ_are_named(make, sides):
    old, new = (
        rows([make.record("full", 0, inputs={"task": {"name": "sst2", "prompt": text}})])[0] for text in ("Film: ", "Review: ")
    )
    assert Match(new, old).unlike[0].startswith("wording of the task: 'Review: ' ")


def test_metric_items_and_probes_are_named(make):
    record = make.record("full", 0)[0]
    score = record.outcome.score
    other = make.changed(record, score=score.model_copy(update={"name": "f1_macro", "n": 100}))
    asked = {"inputs": {"probes": [[{"name": "wikipedia", "version": 1}, 64]]}}
    fewer = make.record("full", 0, probes={"wikipedia": ("loss (nats per token)", 3.2, 3.3)}, **asked)[0]
    newer = make.changed(fewer, inputs={"probes": [[{"name": "wikipedia", "version": 2}, 64]]})
    (old,), (new,), (few,), (changed,) = (aggregate([each]) for each in (record, other, fewer, newer))
    assert Match(new, old).unlike == ["number of items: 100 instead of 200", "metric: f1_macro instead of accuracy"]
    gone = [f"the probe {name} was asked of the old one alone" for name in ("lambada", "arc-easy")]
    assert Match(few, old).unlike == gone and Match(old, few).unlike == []
    assert [text.partition(":")[0] for text in Match(changed, few).unlike] == ["definition of wikipedia"]


IMDB = {"name": "imdb", "version": 1}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, []),
        ({"count": 48}, ["items of imdb: 48 instead of 64"]),
        ({"metric": "f1_macro"}, ["metric of imdb: f1_macro instead of accuracy"]),
        ({"also": [IMDB | {"version": 2}]}, ["version of imdb: 2 instead of 1"]),
        ({"also": [IMDB | {"labels": ["a"]}]}, []),
        ({"task": {"name": "sst2", "out_of_domain": {"imdb": {"sha256": "ef"}}}}, []),
        ({"name": "amazon"}, ["the task or domain imdb was asked of the old one alone"]),
    ],
)
def test_scores_elsewhere_are_of_the_same_question(make, changes, told):
    assert Match(asked_elsewhere(make, **changes), asked_elsewhere(make)).unlike == told


def asked_elsewhere(make, name="imdb", count=64, metric="accuracy", **inputs):
    record, _ = make.elsewhere(make.record("full", 0, inputs={"also": [IMDB], **inputs}), name, 0.7, count)
    away = record.outcome.elsewhere[name]
    named = {name: away.model_copy(update={"score": away.score.model_copy(update={"name": metric})})}
    return rows([(make.changed(record, elsewhere=named), None)])[0]


def test_another_domain_is_another_question(make):
    new, old = (
        asked_elsewhere(make, also=[], task={"name": "sst2", "out_of_domain": {"imdb": {"sha256": text}}})
        for text in ("ef", "cd")
    )
    assert Match(new, old).unlike == ["sha256 of imdb: ef instead of cd"]


@pytest.mark.parametrize(("name", "now", "before"), [("batch", 8, 16), ("max_length", 128, 256)])
def test_what_a_suite_sets_for_all_is_told_and_is_no_reason(make, name, now, before):
    """As a hyper-parameter: it is what a team may have changed, and wants to see what became of."""
    new, old = (rows([make.record("full", 0, inputs={name: value})])[0] for value in (now, before))
    assert Match(new, old).unlike == [] and Match(new, old).changed == [f"{name} {now} instead of {before}"]


def test_an_imported_tasks_version_is_another_question(make):
    """Planted fault: of an import nothing but its version tells it, and that was told as a change."""
    source = Import(whose="lm-eval", file="results.json", sha256="ab" * 32, interval="binomial")
    new, old = (
        rows([(make.changed(make.record("theirs", 0, hyperparameters={"task_version": version})[0], source=source), None)])[0]
        for version in (2, 1)
    )
    assert Match(new, old).other_question == ["definition of the task: version 2 instead of version 1"]


def test_an_environment_is_told_and_is_no_reason(make, sides):
    match = unlike(make, sides, environment={"torch": "2.14.0"}, model_hash="ee" * 32)
    assert match.unlike == [] and "model's content eeeeeeee instead of" in match.changed[0]
    assert "torch 2.14.0 instead of none" in " ".join(match.changed)


def test_a_run_that_was_done_again_is_not_the_very_same(make, sides):
    old = sides.pairs()
    again = [(make.changed(record, started="2026-11-28T00:00:00+00:00"), frame) for record, frame in old]
    for pairs, same in ((old, True), (again, False)):
        for side, kept in (("new", pairs), ("old", old)):
            sides.kept(side, kept)
        rows = [aggregate(store.read_all(sides.path / side), sides.path / side) for side in ("new", "old")]
        assert {match.same_runs for match in matched(*rows)[0]} == {same}


def test_a_score_without_an_interval_is_no_ground(make):
    record, _ = make.record("full", 0)
    bare = make.changed(record, score=record.outcome.score.model_copy(update={"ci_low": None, "ci_high": None}))
    (new,), (old,) = aggregate([bare]), aggregate([record])
    assert Match(new, old).unlike == ["its score has no interval"]


def test_runs_of_several_baselines_tell_once_and_are_kept_apart(make):
    first, second = ([make.record("full", seed)[0] for seed in seeds] for seeds in ((0, 1, 2), (2, 3, 4)))
    found = rows_once([[make.failed(run_id=second[2].run_id), *first], second], first[:1])
    assert [[record.setup.seed for record in row.records] for row in found] == [[1, 2], [3, 4]]

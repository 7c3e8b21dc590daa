"""What a run trains on: the task's examples and what the strategy mixes in, in order."""

import gc
import weakref
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import BudgetError
from bench.modeling.flops import count_flops
from bench.once_per_object import once_per_object
from bench.planning import plan
from bench.planning.options import PlanOptions
from bench.running import curriculum
from bench.running.adaptation import adapted
from bench.strategies import with_values
from bench.tasks import plain_encodings, splits
from bench.tasks.encoding import Encoding
from bench.tasks.separation import normalised
from bench.tokens.micro_batches import micro_batches
from bench.tokens.token_counts import useful_counts


def built(model, **settings):
    said = [f"multitask.{name}={value}" for name, value in settings.items()]
    options = PlanOptions("sentiment", model=model, strategies=["multitask"], budget="160", settings=said)
    (run,) = plan.plan(options, "fp32")
    return run, curriculum.build_curriculum(run, Encoding(run.model, run.max_length))


def test_a_curriculum_mixes_what_is_due(decoder_folder):
    run, found = built(str(decoder_folder))
    assert found.examples == 160 and [len(step) for step in found.steps] == [16] * 10
    eos = run.model.tokenizer.eos_token_id
    rehearsed = [e for step in found.steps for e in step if e.weight < 1]
    assert len(rehearsed) == 16  # a tenth
    assert all(e.mass == pytest.approx(1) for e in rehearsed) and eos is not None
    texts = [run.model.tokenizer.decode(e.ids) for step in found.steps for e in step if e.weight == 1]
    joked = sum("headline" in text for text in texts)
    followed = sum("Does it follow that" in text or "the statement follows" in text for text in texts)
    assert joked == 32 and followed == 8


def test_nothing_that_is_mixed_in_stands_in_the_test(decoder_folder):
    run, found = built(str(decoder_folder), tasks="{vader-movies: 0.5}")

    def letters(text):
        return normalised({"text": text})

    test = {letters(example.fields["text"]) for example in splits.load_splits(run.task).test}
    read = [letters(run.model.tokenizer.decode(encoded.ids)) for step in found.steps for encoded in step]
    assert len(read) == 160 and not any(text in each for text in test if len(text) > 20 for each in read)


def test_a_rehearsed_tokens_weight_is_the_strategys_word(decoder_folder):
    _, whole = built(str(decoder_folder))
    _, each = built(str(decoder_folder), rehearsal_weight=0.25)
    pairs = [(a, b) for one, two in zip(whole.steps, each.steps, strict=True) for a, b in zip(one, two, strict=True)]
    texts = [(a, b) for a, b in pairs if a.weight < 1]
    assert len(texts) == 16 and max(a.answer for a, _ in texts) > 8
    assert all(a.ids == b.ids and b.weight == 0.25 and b.mass == 0.25 * a.answer for a, b in texts)
    assert all(a == b for a, b in pairs if a.weight == 1)  # the task's own are what they were


def alone(model, strategy, budget="480", **more):
    (run,) = plan.plan(PlanOptions("sentiment", model=model, strategies=[strategy], budget=budget, **more), "fp32")
    return curriculum.build_curriculum(run, Encoding(run.model, run.max_length)).steps


def test_a_steps_examples_are_alike_in_length():
    lengths = [[len(e.ids) for e in step] for step in alone("tiny-bert", "full")]
    padding = 1 - sum(map(sum, lengths)) / sum(16 * max(step) for step in lengths)
    assert padding < 0.05  # of random batches about 45 % is padding
    assert max(map(max, lengths)) > 4 * min(map(min, lengths))


def test_the_order_does_not_depend_on_wording_or_budget(encoder):
    """Instructions make texts longer by unlike amounts; still each strategy sees the same reviews in the same order."""

    def reviews(steps):
        texts = (encoder.tokenizer.decode(e.ids, skip_special_tokens=True) for step in steps for e in step)
        return [text.replace(" ", "") for text in texts]  # the tokenizer sets them by what stands before

    plain, instructed = reviews(alone("tiny-bert", "full")), reviews(alone("tiny-bert", "instruction"))
    assert all(review in text for review, text in zip(plain, instructed, strict=True))
    assert plain[:160] == reviews(alone("tiny-bert", "full", budget="160"))


@pytest.mark.parametrize("model", ["tiny-bert", "decoder"])
def test_an_example_is_encoded_once_for_its_length_its_step_and_the_next_run(model, request, monkeypatch):
    name = model if model == "tiny-bert" else str(request.getfixturevalue("decoder_folder"))
    encoded, training = Counter[str](), Encoding.training

    def counted(self, task, example, *words):
        encoded[example.id] += 1
        return training(self, task, example, *words)

    monkeypatch.setattr(plain_encodings, "_made_of", once_per_object(lambda example: {}))
    monkeypatch.setattr(Encoding, "training", counted)
    steps = alone(name, "full")
    assert sum(map(len, steps)) == 480 <= len(encoded) and set(encoded.values()) == {1}
    assert alone(name, "frozen") == steps and set(encoded.values()) == {1}


def test_a_progressive_curriculum_ends_with_the_task_alone(encoder):
    _, found = built("tiny-bert", progressive=True, start=0.1, end=1.0)
    heads = [[e.head for e in step] for step in found.steps]
    own = [part.count(0) for part in heads]
    assert own[0] <= 4 and own[-1] >= 15 and sum(own) == pytest.approx(160 * 0.55, abs=1)
    assert set(heads[0]) == {0, 1, 2}
    # The k-th example of the task is the same as without what is mixed in.
    expected = [e.ids for step in alone("tiny-bert", "instruction", budget="160") for e in step]
    assert [e.ids for step in found.steps for e in step if e.head == 0] == expected[: sum(own)]


STRATEGIES = ["full", "frozen", "lora-8bit", "instruction", "multitask", "rehearsal", "progressive"]
"""The last is `multitask`, phased in."""


@pytest.fixture(scope="module", params=["tiny-bert", "decoder"])
def model(request):
    return request.param if request.param == "tiny-bert" else str(request.getfixturevalue("decoder_folder"))


def planned_run(model, strategy, budget):
    name = "multitask" if strategy == "progressive" else strategy
    more = ["multitask.progressive=true"] if strategy == "progressive" else []
    options = PlanOptions("sentiment", model=model, strategies=[name], budget=budget, settings=more)
    return plan.plan(options, "fp32")[0]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_counted_budget_is_that_of_as_many_examples_and_one_more_would_pass_it(model, strategy, device):
    """Tokens and FLOPs, each by another way: of the curricula of so many examples and of one more."""
    run = planned_run(model, strategy, "50")
    encoding, operations = Encoding(run.model, run.max_length), count_flops(adapted(run, device))

    def built(budget):
        return curriculum.build_curriculum(planned_run(model, strategy, budget), encoding, operations=operations)

    def spent(found, unit):
        windows = [encoded for step in found.steps for encoded in step]
        return sum(e.fed for e in windows) if unit == "tokens" else operations.useful(useful_counts(windows))

    for unit, text in (("tokens", "{}tokens"), ("flops", "{}FLOP")):
        limit = round(spent(built("50"), unit) * 1.05)
        found = built(text.format(limit))
        assert found.ended_by == unit and found.examples > 30
        assert found.steps == built(str(found.examples)).steps
        assert spent(found, unit) <= limit < spent(built(str(found.examples + 1)), unit)
        assert built(text.format(spent(found, unit))).examples == found.examples  # to the last token
        assert built(text.format(spent(found, unit) - 1)).examples == found.examples - 1
    steps = built("3steps")
    assert steps.ended_by == "steps" and [len(step) for step in steps.steps] == [len(step) for step in built("48").steps]
    assert steps.steps == built("48").steps


@pytest.mark.parametrize(
    ("budget", "ended_by", "examples"),
    [("40examples,2steps", "steps", 32), ("40examples,3steps", "examples", 40), ("20examples,1Mtokens", "examples", 20)],
)
def test_the_limit_that_is_reached_first_ends_it(budget, ended_by, examples):
    run = planned_run("tiny-bert", "multitask", budget)
    found = curriculum.build_curriculum(run, Encoding(run.model, run.max_length))
    assert (found.ended_by, found.examples) == (ended_by, examples)


def test_a_budget_that_holds_no_example_is_told():
    run = planned_run("tiny-bert", "full", "3tokens")
    with pytest.raises(BudgetError, match=r"the budget of 3tokens is less than its first example takes: \d+ tokens"):
        curriculum.build_curriculum(run, Encoding(run.model, run.max_length))


@pytest.mark.parametrize("world", [1, 2, 3])
def test_the_processes_share_out_a_curriculum_that_knows_nothing_of_them(world):
    """Each example of a step is in one process's part, whatever their number."""
    run = planned_run("tiny-bert", "multitask", "900tokens")
    found = curriculum.build_curriculum(run, Encoding(run.model, run.max_length))
    assert len(found.steps) > 1
    for step in found.steps:
        parts = [e for rank in range(world) for batch in micro_batches(step, 256, rank, world) for e in batch.rows if e.weight]
        assert sorted(e.ids for e in parts) == sorted(e.ids for e in step)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=400), st.integers(1, 3000))
def test_the_longest_is_found_by_bisection(tokens, limit):
    """Against adding up one by one; more examples than there are pass the limit."""
    totals = [sum(tokens[:length]) for length in range(len(tokens) + 1)]
    assert all(a < b for a, b in pairwise(totals))

    def passed(length):
        return None if length < len(totals) and totals[length] <= limit else "tokens"

    expected = max(length for length, total in enumerate(totals) if total <= limit)
    assert curriculum._longest({"tokens": limit}, passed) == (expected, "tokens")


def draws(run, progress):
    drawn = curriculum.StepDraw(run, Encoding(run.model, run.max_length), run.task)
    return drawn, [drawn.draw(at) for at in progress]


@pytest.mark.parametrize("strategy", ["full", "multitask"])
def test_under_the_clock_the_task_comes_in_the_same_order(strategy):
    drawn, steps = draws(planned_run("tiny-bert", strategy, "9s"), [0.0] * 5)
    own = [e.ids for step in steps for windows in step for e in windows if e.head == 0]
    wording = "full" if strategy == "full" else "instruction"
    assert own == [e.ids for step in alone("tiny-bert", wording, budget="80") for e in step][: len(own)]
    assert [len(step) for step in steps] == [16] * 5 and not drawn.ended_by and drawn.share == 0.0
    if strategy == "multitask":  # of an encoder .75, .2 and .05, after each step
        heads = [e.head for step in steps for windows in step for e in windows]
        for end in range(16, 81, 16):
            assert [heads[:end].count(head) for head in range(3)] == pytest.approx([0.75 * end, 0.2 * end, 0.05 * end], abs=1)


def test_under_the_clock_the_mixture_follows_the_progress():
    _, steps = draws(planned_run("tiny-bert", "progressive", "9s"), [0.0, 0.25, 0.5, 0.75, 1.0])
    own = [sum(windows[0].head == 0 for windows in step) for step in steps]
    assert own == sorted(own) and own[0] <= 4 and own[-1] >= 15


def test_under_the_clock_nothing_that_was_drawn_is_kept():
    """A budget of hours would fill the memory with texts that have been trained on."""
    drawn, steps = draws(planned_run("tiny-bert", "full", "9s"), [0.0])
    kept = weakref.ref(steps[0][0][0])
    del steps
    gc.collect()
    assert kept() is None and drawn.draw(0.0)


def test_under_the_clock_counted_limits_are_kept_to_the_last_example():
    whole = [
        sum(e.fed for e in windows) for step in draws(planned_run("tiny-bert", "full", "9s"), [0] * 4)[1] for windows in step
    ]
    drawn, steps = draws(planned_run("tiny-bert", "full", f"{sum(whole[:40]) + 1}tokens,9s"), [0] * 5)
    assert [len(step) for step in steps] == [16, 16, 8, 0, 0] and drawn.ended_by == "tokens"
    assert drawn.share == pytest.approx(1, abs=0.01)
    with pytest.raises(BudgetError, match="less than its first example takes"):
        draws(planned_run("tiny-bert", "full", "2tokens,9s"), [0])


@pytest.mark.parametrize("strategy", ["full", "multitask"])
def test_the_order_and_the_dropped_words_are_moved_by_their_part_alone(strategy, model):
    run = replace(planned_run(model, strategy, "96"), seed=1)
    share = replace(run, strategy=with_values(run.strategy, {"augmentation": 0.3}))

    def steps(run, **changes):
        return curriculum.build_curriculum(replace(run, **changes), Encoding(run.model, run.max_length)).steps

    def timed(run, **changes):
        drawn = curriculum.StepDraw(replace(run, **changes), Encoding(run.model, run.max_length), run.task)
        return [drawn.draw(0.5) for _ in range(6)]

    for made, asked in ((steps, run), (steps, share), (timed, share)):
        first, second = made(asked, seed=0), made(asked)
        assert first != second
        assert made(asked, varied="order") == second
        assert made(asked, varied="init") == made(asked, varied="dropout") == first

"""What a run trains on: the task's examples and what the strategy mixes in, in order."""

import pytest

from bench.planning import plan
from bench.running import curriculum
from bench.tasks.encoding import Encoding


def built(model, **settings):
    said = [f"multitask.{name}={value}" for name, value in settings.items()]
    options = plan.PlanOptions("sentiment", model=model, strategies=["multitask"], budget="160", settings=said)
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


def test_a_rehearsed_tokens_weight_is_the_strategys_word(decoder_folder):
    _, whole = built(str(decoder_folder))
    _, each = built(str(decoder_folder), rehearsal_weight=0.25)
    pairs = [(a, b) for one, two in zip(whole.steps, each.steps, strict=True) for a, b in zip(one, two, strict=True)]
    texts = [(a, b) for a, b in pairs if a.weight < 1]
    assert len(texts) == 16 and max(a.answer for a, _ in texts) > 8
    assert all(a.ids == b.ids and b.weight == 0.25 and b.mass == 0.25 * a.answer for a, b in texts)
    assert all(a == b for a, b in pairs if a.weight == 1)  # the task's own are what they were


def alone(model, strategy, budget="480", **more):
    (run,) = plan.plan(plan.PlanOptions("sentiment", model=model, strategies=[strategy], budget=budget, **more), "fp32")
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


def test_a_progressive_curriculum_ends_with_the_task_alone(encoder):
    _, found = built("tiny-bert", progressive=True, start=0.1, end=1.0)
    heads = [[e.head for e in step] for step in found.steps]
    own = [part.count(0) for part in heads]
    assert own[0] <= 4 and own[-1] >= 15 and sum(own) == pytest.approx(160 * 0.55, abs=1)
    assert set(heads[0]) == {0, 1, 2}
    # The k-th example of the task is the same as without what is mixed in.
    expected = [e.ids for step in alone("tiny-bert", "instruction", budget="160") for e in step]
    assert [e.ids for step in found.steps for e in step if e.head == 0] == expected[: sum(own)]

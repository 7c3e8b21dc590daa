"""What a run trains on: how much of what, in which order, and the same for all who are compared."""

from types import SimpleNamespace

import pytest

from bench import strategies
from bench.errors import UserError
from bench.planning import plan
from bench.running import curriculum
from bench.tasks import splits
from bench.tasks.encoding import Encoding


def built(model, **settings):
    said = [f"multitask.{name}={value}" for name, value in settings.items()]
    options = plan.Options("sentiment", model=model, strategies=["multitask"], budget="160", settings=said)
    (run,) = plan.plan(options, "fp32")
    return run, curriculum.build(run, Encoding(run.model, run.max_length))


def test_a_curriculum_mixes_what_is_due(decoder_folder):
    run, found = built(str(decoder_folder))
    assert found.examples == 160 and [len(step) for step in found.steps] == [16] * 10
    eos = run.model.tokenizer.eos_token_id
    rehearsed = [e for step in found.steps for e in step if e.weight < 1]
    assert len(rehearsed) == 16  # a tenth
    assert all(e.mass == pytest.approx(1) for e in rehearsed) and eos is not None
    texts = [run.model.tokenizer.decode(e.ids) for step in found.steps for e in step if e.weight == 1]
    joked, followed = (sum(word in text for text in texts) for word in ("headline", "follow"))
    assert joked == 32 and followed == 8


def test_a_progressive_curriculum_ends_with_the_task_alone(encoder):
    run, found = built("tiny-bert", progressive=True, start=0.1, end=1.0)
    heads = [[e.head for e in step] for step in found.steps]
    own = [part.count(0) for part in heads]
    assert own[0] <= 4 and own[-1] >= 15 and sum(own) == pytest.approx(160 * 0.55, abs=1)
    assert set(heads[0]) == {0, 1, 2}
    # The k-th example of the task is the same as without what is mixed in.
    alone = plan.plan(plan.Options("sentiment", model="tiny-bert", strategies=["instruction"], budget="160"), "fp32")[0]
    expected = [e.ids for step in curriculum.build(alone, Encoding(encoder, run.max_length)).steps for e in step]
    assert [e.ids for step in found.steps for e in step if e.head == 0] == expected[: sum(own)]


@pytest.fixture
def run(library, sst2):
    """A stand-in for a run: what a curriculum reads of one."""

    def made(name="full", family="decoder", examples=40, task=sst2, seed=0, **settings):
        chosen = strategies.load(library.strategy(name), family, settings)
        others = [library.task(other) for other in chosen.tasks]
        size = SimpleNamespace(examples=examples)
        return SimpleNamespace(
            strategy=chosen, task=task, others=others, trained=[task, *others], seed=seed, budget=size, batch=16
        )

    return made


def answers(model, found):
    return [model.tokenizer.decode(e.ids) for step in found.steps for e in step]


def test_all_strategies_are_taught_the_same_in_the_same_order(run, sst2, decoding):
    full, frozen = (curriculum.build(run(name), decoding) for name in ("full", "frozen"))
    assert full == frozen and [len(step) for step in full.steps] == [16, 16, 8] and full.examples == 40
    assert curriculum.build(run(seed=1), decoding) != full
    texts = {f"Review: {e.fields['text']}\nSentiment: {e.gold}" for e in splits.load(sst2).train}
    said = answers(decoding.model, full)
    assert set(said) <= texts and len(set(said)) == 40  # none twice before all have come
    told = answers(decoding.model, curriculum.build(run("instruction"), decoding))
    for plain, instructed in zip(said, told, strict=True):
        review, answer = plain.removeprefix("Review: ").rsplit("\nSentiment: ", 1)
        assert review in instructed and instructed.endswith(answer)


def test_a_larger_budget_goes_on_where_a_smaller_one_ends(run, decoding):
    small, large = (curriculum.build(run(examples=n), decoding).steps for n in (32, 64))
    assert large[: len(small)] == small


def test_other_words_are_left_out_each_time(run, decoding, monkeypatch):
    seeds = []
    monkeypatch.setattr(curriculum, "dropper", lambda share, *seed: seeds.append(seed) or (lambda words: range(len(words))))
    curriculum.build(run(augmentation=0.3, seed=7), decoding)
    assert len(set(seeds)) == 40 and all(7 in seed for seed in seeds)


def test_augmentation_leaves_out_words_of_the_text_and_none_of_the_answer(run, decoding):
    plain, thin = (curriculum.build(run(augmentation=share), decoding) for share in (0.0, 0.3))
    for before, after in zip(answers(decoding.model, plain), answers(decoding.model, thin), strict=True):
        words = iter(before.split())
        assert all(word in words for word in after.split())  # in the same order, none added
        assert before.rsplit(maxsplit=1)[-1] == after.rsplit(maxsplit=1)[-1]  # the answer stays
    fewer = sum(e.fed for step in thin.steps for e in step) / sum(e.fed for step in plain.steps for e in step)
    assert 0.5 < fewer < 0.9


def test_windows_of_one_example_count_once_and_share_a_step(run, library, encoder):
    task = library.task("squad")
    found = curriculum.build(run(family="encoder", examples=20, task=task), Encoding(encoder, 64))
    assert found.examples == 20 and len(found.steps) == 2
    assert len(found.steps[0]) > 16
    masses = [sum(e.mass for e in step) for step in found.steps]
    assert masses == pytest.approx([16.0, 4.0])  # an example weighs one, in however many windows it is read


def test_a_stage_of_another_task_has_its_own_head(run, library, encoder):
    rte = library.task("rte")
    made = run("multitask", "encoder", examples=32)
    found = curriculum.build(made, Encoding(encoder, 128), stage=rte)
    heads = [e.head for step in found.steps for e in step]
    # The head's number is the task's place among all that the run trains; the stage has what is not mixed in.
    place = [task.name for task in made.trained].index("rte")
    assert heads.count(place) >= 16 and 0 not in heads


def test_an_example_that_does_not_fit_is_named(run, library, encoder, monkeypatch):
    monkeypatch.setattr(Encoding, "training", lambda *_: [])
    with pytest.raises(UserError, match=r"task 'sst2', example train-\d+: nothing of it fits into max_length 64"):
        curriculum.build(run(family="encoder"), Encoding(encoder, 64))

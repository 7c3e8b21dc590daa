"""What a run's model is asked: which examples, in which words, to which head."""

import time
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from bench.errors import UserError
from bench.inference.evalset import EvalSet
from bench.measuring import evaluation
from bench.measuring.evaluation import VALIDATION_ITEMS, EvalSets, as_base, eval_sets, evaluate
from bench.progress import Progress
from bench.runs.run_folder import RunFolder
from bench.specs.wording import Wording
from bench.tasks.encoding import Encoding
from bench.tasks.splits import TrainingData


@pytest.fixture(scope="module")
def sets(planned, encoder):
    """A run of the BERT and its sets, by strategy and what is changed of the run."""

    def of(strategy, change=None, **options):
        run = planned(strategy, **options)
        run = replace(run, **change(run)) if change else run
        return run, eval_sets(run, Encoding(encoder, run.max_length))

    return of


@pytest.fixture(scope="module")
def mixed(sets, library):
    """A run on three tasks with sets from other domains, asked two tasks more: one it is not trained on, with a limit of 5."""
    return sets("multitask", lambda run: {"also": (library.task("sst2"),), "other_items": 5})


def test_an_encoder_is_asked_each_task_by_the_head_that_learns_it(mixed):
    run, found = mixed
    assert [task.name for task in run.training_tasks] == ["vader-movies", "sarcasm", "rte"]
    assert found.test.head == found.validation.head == 0
    heads = {name: evalset.head for name, evalset in found.elsewhere.items()}
    # A set from another domain is the same task, and so the same head.
    assert heads == {"amazon": 0, "tweets": 0, "nyt": 0, "sarcasm": 1, "rte": 2, "sst2": None}


def test_elsewhere_is_domains_then_mixed_in_tasks_then_others(mixed):
    run, found = mixed
    assert list(found.elsewhere) == ["amazon", "tweets", "nyt", "sarcasm", "rte", "sst2"]
    for name in ("amazon", "tweets", "nyt"):
        evalset = found.elsewhere[name]
        assert evalset.split == name and evalset.task.spec == run.task
        assert evalset.examples == replace(evalset, items=9).examples[:5] != found.test.data.out_of_domain[name][:5]
    for name in ("sarcasm", "rte"):
        assert found.elsewhere[name].split == "test" and found.elsewhere[name].wording.style == "instruction"
    assert {len(evalset.examples) for evalset in found.elsewhere.values()} == {5}


def test_a_task_not_trained_on_is_asked_as_the_base_is(mixed):
    run, found = mixed
    also = found.elsewhere["sst2"]
    assert (also.wording, also.head, also.seed) == (Wording(), None, 0) and run.wording != Wording()


def test_validation_is_a_sample_of_its_own_split(mixed):
    run, found = mixed
    data = found.test.data
    chosen = {example.id for example in found.validation.examples}
    assert len(chosen) == VALIDATION_ITEMS < len(data.validation) and chosen < {example.id for example in data.validation}
    assert chosen != {example.id for example in data.validation[:VALIDATION_ITEMS]}
    assert len(found.test.examples) == 12 and found.test.examples != data.test[:12]
    assert replace(found.validation, split="test", items=12, task=found.test.task, data=data) == found.test
    assert type(found.validation.data) is TrainingData  # which holds no test
    whole = eval_sets(replace(run, test_items=None), found.test.encoding)
    assert whole.test.examples == data.test and whole.validation.items == VALIDATION_ITEMS


def test_paraphrases_are_asked_where_instructions_are_trained_on(sets):
    run, found = sets("instruction", lambda run: {"paraphrase_items": 3})
    assert [evalset.paraphrase for evalset in found.paraphrases] == list(range(len(run.task.instructions.test))) != []
    # All of one set get the one wording; those of the test take turns.
    assert [[evalset.place(i) for i in (0, 1)] for evalset in found.paraphrases[:2]] == [[0, 0], [1, 1]]
    golds = [example.gold for example in found.test.examples]
    assert [found.test.place(i) for i in range(4)] == [golds[:i].count(golds[i]) for i in range(4)]
    for evalset in found.paraphrases:
        assert evalset.examples == found.test.examples[:3] and evalset.head == 0
    assert sets("full")[1].paraphrases == []


def test_a_single_instruction_is_not_asked_twice(sets):
    """It is the one in which the test set was asked."""

    def alone(run):
        instructions = run.task.instructions.model_copy(update={"test": run.task.instructions.test[:1]})
        return {"task": run.task.model_copy(update={"instructions": instructions})}

    assert sets("instruction", alone)[1].paraphrases == []


def test_stages_stand_in_order_with_a_head_each(planned, encoder):
    run = planned("full", suite="stages")
    found = eval_sets(run, Encoding(encoder, run.max_length))
    assert [evalset.task.spec.name for evalset in found.stages] == ["sst2", "sec-entities", "squad"]
    # The run's own task is the last stage and has the first head.
    assert [evalset.head for evalset in found.stages] == [1, 2, 0]
    assert found.test.task.spec.name == "squad" and {evalset.items for evalset in found.stages} == {run.other_items}


def test_a_row_that_trains_nothing_is_asked_its_task_alone(sets, library):
    _, found = sets("zero-shot", lambda run: {"also": (library.task("sst2"),)})
    assert found == EvalSets(test=found.test, validation=found.validation, elsewhere={}, stages=[], paraphrases=[])
    assert (found.test.head, found.test.wording) == (None, Wording())
    _, found = sets("few-shot", lambda run: {"seed": 2})
    assert (found.test.head, found.test.seed, found.test.wording) == (None, 2, Wording(shots=4))


def test_as_base_keeps_the_examples_and_nothing_else(mixed):
    _, found = mixed
    asked = as_base(replace(found.elsewhere["rte"], seed=4), Wording())
    assert (asked.wording, asked.head, asked.seed) == (Wording(), None, 0)
    assert asked.examples == found.elsewhere["rte"].examples and asked.task is found.elsewhere["rte"].task


def test_a_session_reads_the_data_of_its_tasks(planned, opened):
    run = planned("full")
    missing = run.task.train.model_copy(update={"member": "nothing.txt"})
    with pytest.raises(UserError, match=r"nothing\.txt"):
        opened(replace(run, task=run.task.model_copy(update={"train": missing})))


def test_a_session_has_the_probes_of_its_run(planned, opened):
    session = opened(planned("full"))
    assert [(probe.spec.name, len(probe.rows)) for probe in session.probes] == [("mrpc", 6)]
    assert session.probes[0].encoding.max_length == session.encoding.max_length == session.run.max_length == 128


class Slow:
    """A probe that takes its time."""

    def __init__(self, spec):
        self.spec = spec

    def measure(self, backend):
        time.sleep(0.02)
        return pd.DataFrame({"value": [1.0], "asked": [backend]})


def test_evaluate_asks_everything_and_times_it(mixed, library, monkeypatch):
    _, found = mixed
    found = replace(found, paraphrases=[replace(found.test, paraphrase=n) for n in (0, 1)])

    def slow(backend: object, evalset: EvalSet) -> pd.DataFrame:
        time.sleep(0.005)
        return pd.DataFrame({"asked": [evalset], "backend": [backend]})

    monkeypatch.setattr(evaluation, "predict", slow)
    session = SimpleNamespace(sets=found, progress=Progress(False, 1), folder=RunFolder(), device=None)
    told = evaluate("a model", session, [Slow(library.probe("mrpc"))])
    assert told.test["asked"][0] is found.test
    assert {name: frame["asked"][0] for name, frame in told.elsewhere.items()} == found.elsewhere
    assert [frame["asked"][0] for frame in told.paraphrases] == found.paraphrases
    assert list(told.probes) == ["mrpc"] and told.probes["mrpc"]["asked"][0] == "a model"
    # 9 sets of 5 ms beside the probe's 20 ms
    assert told.probe_seconds >= 0.02 and told.seconds - told.probe_seconds >= 0.045


@pytest.mark.parametrize(("varied", "chosen"), [(None, 2), ("order", 2), ("init", 0), ("dropout", 0)])
def test_solved_examples_are_chosen_by_the_seed_of_the_order(varied, chosen, sets):
    _, found = sets("few-shot", lambda run: {"seed": 2, "varied": varied})
    assert found.test.seed == found.validation.seed == chosen

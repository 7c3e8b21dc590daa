"""Which examples a set holds, and in which words each is asked."""

from dataclasses import replace

import pytest

from bench.inference.evalset import EvalSet
from bench.inference.local import LocalBackend
from bench.inference.predictions import predict
from bench.specs.wording import Wording
from bench.tasks import splits, types


@pytest.fixture
def evalset(sst2, decoding):
    return EvalSet(types.task_type(sst2), splits.load_splits(sst2), decoding, Wording(), 0, items=6)


def test_a_limited_set_is_a_fair_sample_with_its_clusters(evalset, decoder):
    validation = replace(evalset, split="validation", items=12)
    found = predict(LocalBackend(decoder.load().eval(), decoder), validation)
    assert found["gold"].tolist().count("positive") == 6 and found["cluster"].nunique() > 6
    by_id = {example.id: example.fields["group"] for example in evalset.data.validation}
    assert found["cluster"].tolist() == [by_id[item] for item in found["item"]]
    assert found["item"].tolist() == [e.id for e in replace(validation, items=30).examples][:12]  # nested
    assert replace(validation, items=None).examples == evalset.data.validation
    assert predict(LocalBackend(decoder.load().eval(), decoder), evalset)["cluster"].isna().all()  # SST-2 names no films


def test_one_paraphrase_for_all_or_each_in_turn(evalset):
    golds = [example.gold for example in evalset.examples]
    assert [evalset.place(index) for index in range(6)] == [golds[:index].count(gold) for index, gold in enumerate(golds)]
    assert [replace(evalset, paraphrase=1).place(index) for index in range(3)] == [1, 1, 1]

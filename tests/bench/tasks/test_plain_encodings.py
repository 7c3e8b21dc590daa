"""What is kept of training examples is what their encoding makes, and is never taken for another's."""

from dataclasses import replace

import pytest

from bench.errors import UserError
from bench.once_per_object import once_per_object
from bench.specs.wording import Wording
from bench.tasks import plain_encodings, splits, types
from bench.tasks.encoding import Encoding
from bench.tasks.plain_encodings import plain_encoding

TASKS = {
    "encoder": ["sst2", "medical-spans", "squad", "medmcqa"],
    "decoder": ["sst2", "squad", "medmcqa", "coqa-chat", "localisation-de"],
}
"""One of each type that such a model is trained on."""


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(plain_encodings, "_made_of", once_per_object(lambda example: {}))


@pytest.fixture
def models(encoder, decoder):
    return {"encoder": encoder, "decoder": decoder}


@pytest.mark.parametrize(("family", "name"), [(family, name) for family, names in TASKS.items() for name in names])
def test_it_is_what_the_encoding_makes(models, library, monkeypatch, family, name):
    task = library.task(name)
    kind, examples, encoding = types.task_type(task), splits.load_training(task).train[:5], Encoding(models[family], 300)
    expected = [encoding.training(kind, example, Wording(), 0, 0) for example in examples]
    assert [plain_encoding(encoding, kind, example, 0) for example in examples] == expected
    # A second time too, in another run, which has an encoding of its own and makes nothing.
    monkeypatch.setattr(Encoding, "training", None)
    assert [plain_encoding(Encoding(models[family], 300), kind, example, 0) for example in examples] == expected


def test_another_model_length_head_or_example_has_its_own(models, sst2):
    kind, (first, second) = types.task_type(sst2), splits.load_training(sst2).train[:2]
    asked = [
        (models["encoder"], 12, first, 0),
        (models["encoder"], 12, first, 1),
        (models["encoder"], 8, first, 0),
        (models["decoder"], 12, first, 0),
        (models["encoder"], 12, replace(first, fields=second.fields), 0),
    ]
    found = [plain_encoding(Encoding(model, length), kind, example, head) for model, length, example, head in asked]
    expected = [Encoding(model, length).training(kind, example, Wording(), 0, head) for model, length, example, head in asked]
    assert found == expected and all(each not in found[:place] for place, each in enumerate(found))


def test_what_cannot_be_encoded_is_told_each_time(models, sst2):
    kind, example = types.task_type(sst2), splits.load_training(sst2).train[0]
    for _ in range(2):
        with pytest.raises(UserError, match="max_length"):
            plain_encoding(Encoding(models["decoder"], 2), kind, example, 0)


def test_so_many_are_kept_in_little_memory(models, sst2, monkeypatch):
    """A million bytes for the 1,840 reviews that a run of the suite `sentiment` looks at."""
    kind, examples, encoding = types.task_type(sst2), splits.load_training(sst2).train[:1840], Encoding(models["encoder"], 256)
    expected = [plain_encoding(encoding, kind, example, 0) for example in examples]
    assert sum(len(kept) for example in examples for kept in plain_encodings._made_of(example).values()) < 1_000_000
    monkeypatch.setattr(Encoding, "training", None)
    assert [plain_encoding(encoding, kind, example, 0) for example in examples] == expected

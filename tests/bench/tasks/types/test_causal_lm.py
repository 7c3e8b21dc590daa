import numpy as np
import pytest
import torch

from bench.errors import UserError
from bench.inference.local import LocalBackend
from bench.inference.predictions import EvalSet, predict
from bench.running.scoring import scores
from bench.specs.wording import Wording
from bench.tasks import splits, types


@pytest.fixture
def corpus(library):
    return library.task("film-plots")


def test_rows(corpus):
    assert types.task_type(corpus).read({"text": " a b\n", "group": "g"}) == ({"text": "a b", "group": "g"}, "")
    with pytest.raises(ValueError, match="field 'text' is empty"):
        types.task_type(corpus).read({"text": " "})


@pytest.mark.parametrize("prompt", ["{text} {group}", "{group}", "no field"])
def test_a_corpus_has_its_text_alone(corpus, prompt):
    with pytest.raises(UserError, match="task 'film-plots': field 'prompt': a corpus has the field {text} alone"):
        types.task_type(corpus.model_copy(update={"prompt": prompt}))


def test_it_needs_no_instructions_and_no_head(corpus):
    kind = types.task_type(corpus)
    assert corpus.instructions is None and kind.auto_class is None and kind.asks == "read"


def test_perplexity_is_that_of_the_models_own_loss(corpus, decoding, device):
    """The oracle: transformers' loss of each text alone, weighted by its tokens."""
    asked = EvalSet(types.task_type(corpus), splits.load_splits(corpus), decoding, Wording(), 0, items=7)
    model = decoding.model.load().eval()
    found = predict(LocalBackend(model, decoding.model, device), asked)
    nats = tokens = 0.0
    for example, said, confidence in zip(asked.examples, found["prediction"], found["confidence"], strict=True):
        ids = torch.tensor([decoding.model.tokenizer(example.fields["text"])["input_ids"][:256]])
        with torch.no_grad():
            loss = model(input_ids=ids, labels=ids).loss.item()
        count = ids.shape[1] - 1
        assert said == [pytest.approx(loss * count, rel=1e-4), count]
        assert confidence == pytest.approx(np.exp(-loss), rel=1e-4)
        nats, tokens = nats + loss * count, tokens + count
    assert scores(found, ["perplexity"])["perplexity"].value == pytest.approx(np.exp(nats / tokens), rel=1e-4)
    assert "malformed" not in found

import numpy as np
import pytest
import torch

from bench.errors import UserError
from bench.inference.evalset import EvalSet
from bench.inference.local import LocalBackend
from bench.inference.passages import windows
from bench.inference.predictions import predict
from bench.measuring.scoring import scores
from bench.specs.wording import Wording
from bench.tasks import splits, types
from bench.tasks.encoding import Encoding


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


@pytest.mark.parametrize("size", [32, 256])
def test_perplexity_is_that_of_the_models_own_loss_over_every_token(corpus, decoder, device, size):
    """The oracle: transformers' loss of each text alone, window by window, whatever its length."""
    asked = EvalSet(types.task_type(corpus), splits.load_splits(corpus), Encoding(decoder, size), Wording(), 0, items=7)
    model = decoder.load().eval()
    found = predict(LocalBackend(model, decoder, device), asked)
    nats = tokens = 0.0
    for example, said, confidence in zip(asked.examples, found["prediction"], found["confidence"], strict=True):
        ids = torch.tensor([decoder.tokenizer(example.fields["text"])["input_ids"]])
        loss = 0.0
        for start, end, counted in windows(ids.shape[1], size):
            labels = ids[:, start:end].clone()
            labels[:, : end - start - counted] = -100
            with torch.no_grad():
                loss += model(input_ids=ids[:, start:end], labels=labels).loss.item() * counted
        count = ids.shape[1] - 1
        assert said[:2] == [pytest.approx(loss, rel=1e-4), count]
        assert confidence == pytest.approx(np.exp(-loss / count), rel=1e-4)
        nats, tokens = nats + loss, tokens + count
    assert max(said[1] for said in found["prediction"]) > 256  # a text that used to lose its end
    assert scores(found, ["perplexity"])["perplexity"].value == pytest.approx(np.exp(nats / tokens), rel=1e-4)
    assert "malformed" not in found

import pytest
import torch
from probing import measured

from bench.errors import UserError
from bench.probes import probe_class

SINGULAR = [("the film", "the films"), ("this actor", "these actors"), ("her story", "her stories")]
VERBS = [("is", "are"), ("was", "were"), ("has", "have")]
PAIRS = [
    {"good": f"{noun} {good} long .", "bad": f"{noun} {bad} long ."}
    for nouns in SINGULAR
    for verbs in VERBS
    for noun, (good, bad) in zip(nouns, (verbs, verbs[::-1]), strict=True)
]


def test_the_likelier_sentence_is_chosen(decoder, decoding, own, made):
    model, tokenizer = decoder.load().eval(), decoder.tokenizer
    pairs = made(own("minimal-pairs", PAIRS), decoding, 18)
    for row, (_, item) in zip(pairs.rows, measured(pairs, model).iterrows(), strict=True):
        losses = []
        for sentence in (row["good"], row["bad"]):
            ids = torch.tensor([[tokenizer.bos_token_id, *tokenizer(sentence, add_special_tokens=False)["input_ids"]]])
            with torch.no_grad():
                losses.append(model(ids, labels=ids).loss.item() * (ids.shape[1] - 1))
        assert item["right"] == float(losses[0] < losses[1])
        assert -item["good_nats"] == pytest.approx(losses[0], rel=1e-5)
        assert item["value"] == pytest.approx(losses[1] - losses[0], abs=1e-3)


def test_equal_sentences_are_named(own):
    spec = own("minimal-pairs", [{"good": "a b", "bad": "a b"}])
    with pytest.raises(UserError, match="line 1: fields 'good' and 'bad' are the same"):
        probe_class(spec).check(spec)


def test_spelling_pairs_are_faultless(library):
    spec = library.probe("spelling")
    probe_class(spec).check(spec)


def test_blimp_is_read_from_a_hub(library, decoder, decoding, made, monkeypatch):
    import datasets

    table = datasets.Dataset.from_list(
        [{"sentence_good": "These men bake.", "sentence_bad": "These men bakes.", "field": "morphology"}]
    )
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: table)
    assert len(measured(made(library.probe("blimp"), decoding), decoder.load().eval())) == 1


@pytest.mark.slow
def test_the_default_model_knows_agreement(library, own, made):
    from bench.modeling import models
    from bench.tasks.encoding import Encoding

    model = models.find_model("smollm2", library)
    values = measured(made(own("minimal-pairs", PAIRS), Encoding(model, 64), 18), model.load().eval())["right"]
    assert values.mean() > 0.8

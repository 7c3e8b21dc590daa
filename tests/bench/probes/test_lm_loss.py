import math

import numpy as np
import pytest
import torch
from probing import measured

from bench.inference.evalset import EvalSet
from bench.inference.local import LocalBackend
from bench.inference.passages import windows
from bench.inference.predictions import predict
from bench.measuring.scoring import scores
from bench.probes import probe_class
from bench.probes.base import columns
from bench.specs.wording import Wording
from bench.tasks import splits, types
from bench.tasks.encoding import Encoding


@pytest.mark.parametrize("size", [16, 256])
def test_loss_is_transformers_own_on_the_same_windows(library, decoder, made, size):
    model = decoder.load().eval()
    wiki = made(library.probe("wikipedia"), Encoding(decoder, size), 6)
    for row, (_, item) in zip(wiki.rows, measured(wiki, model).iterrows(), strict=True):
        ids = torch.tensor([decoder.tokenizer(row["text"])["input_ids"]])
        total = 0.0
        for start, end, count in windows(ids.shape[1], size):
            labels = ids[:, start:end].clone()
            labels[:, : end - start - count] = -100
            with torch.no_grad():
                total += model(input_ids=ids[:, start:end], labels=labels).loss.item() * count
        assert item["weight"] == ids.shape[1] - 1
        assert item["value"] == pytest.approx(total / (ids.shape[1] - 1), rel=1e-5)


def test_a_passage_in_one_window_has_transformers_loss(library, decoder, decoding, made):
    model = decoder.load().eval()
    wiki = made(library.probe("wikipedia"), decoding, 6)
    short = [n for n, row in enumerate(wiki.rows) if len(decoding.ids(row["text"])) <= 256]
    for row, (_, item) in zip(wiki.part(short).rows, measured(wiki.part(short), model).iterrows(), strict=True):
        ids = torch.tensor([decoding.ids(row["text"])])
        with torch.no_grad():
            assert item["value"] == pytest.approx(model(input_ids=ids, labels=ids).loss.item(), rel=1e-5)
    assert short


def test_the_score_weighs_tokens_and_bits_are_counted_over_bytes(library, decoder, decoding, made):
    wiki = made(library.probe("wikipedia"), decoding)
    frame = measured(wiki, decoder.load().eval())
    items = {name: frame[name].to_numpy() for name in frame}
    nats = (frame["value"] * frame["weight"]).sum()
    assert wiki.score(items) == pytest.approx(nats / frame["weight"].sum())
    tokenizer = decoder.tokenizer
    spelt = sum(len(tokenizer.decode(tokenizer(row["text"])["input_ids"][1:]).encode()) for row in wiki.rows)
    before, after = wiki.others(items, items)["bits per byte"]
    assert before == after == pytest.approx(nats / math.log(2) / spelt)


def test_behind_a_bos_the_first_token_counts_too(decoder, own, made, monkeypatch):
    spec = own("lm-loss", [{"text": "the film was great"}])
    plain = measured(made(spec, Encoding(decoder, 64)), decoder.load().eval())
    ids = Encoding.ids
    monkeypatch.setattr(Encoding, "ids", lambda self, text, special=True: [1] * special + ids(self, text, special))
    behind = measured(made(spec, Encoding(decoder, 64)), decoder.load().eval())
    assert behind["weight"][0] == plain["weight"][0] + 1
    assert behind["bytes"][0] == len("the film was great") > plain["bytes"][0]


def test_a_text_of_a_language_without_spaces_is_read(decoder, decoding, own, made):
    """Japanese, as it is written."""
    spec = own("lm-loss", [{"text": "吾輩は猫である。名前はまだ無い。"}])
    probe_class(spec).check(spec)
    (weight,) = measured(made(spec, decoding), decoder.load().eval())["weight"]
    assert weight > 1


def test_bits_per_byte_are_of_a_corpus_task_are_the_probes_on_the_same_texts(library, decoding, own, made):
    corpus = library.task("film-plots")
    asked = EvalSet(types.task_type(corpus), splits.load_splits(corpus), decoding, Wording(), 0, items=7)
    backend = LocalBackend(decoding.model.load().eval(), decoding.model)
    found = scores(predict(backend, asked), ["bits_per_byte"])["bits_per_byte"]
    probe = made(own("lm-loss", [{"text": example.fields["text"]} for example in asked.examples]), decoding)
    items = columns(probe.measure(backend))
    assert found.value == pytest.approx(probe.others(items, items)["bits per byte"][0], rel=1e-6)
    # What was printed before: nats over tokens. A token of the tokenizer made here has about two bytes.
    assert found.value < 0.8 * np.dot(items["value"], items["weight"]) / np.log(2) / items["weight"].sum()

import numpy as np
import pytest
import torch
from probing import measured

from bench.errors import UserError
from bench.probes import probe_class
from bench.probes.base import filled_rows
from bench.tasks.encoding import Encoding

DATA_SETS = ["arc-easy", "arc-challenge", "hellaswag", "piqa", "openbookqa", "winogrande", "boolq", "sciq", "copa"]


def total(model, tokenizer, context, continuation):
    """Log-likelihood of a continuation, one at a time and from the definition."""
    before, whole = (tokenizer(text, return_tensors="pt")["input_ids"] for text in (context, context + continuation))
    with torch.no_grad():
        logprobs = model(whole).logits[0].log_softmax(-1)
    return sum(logprobs[i - 1, whole[0, i]].item() for i in range(before.shape[1], whole.shape[1]))


@pytest.mark.parametrize("normalised", [None, "characters", "bytes"])
def test_the_likeliest_choice_counts(library, decoder, decoding, made, normalised):
    model = decoder.load().eval()
    spec = library.probe("arc-easy").model_copy(update={"options": {"normalised": normalised}})
    length = {None: lambda _: 1, "characters": len, "bytes": lambda text: len(text.encode())}[normalised]
    arc = made(spec, decoding)
    for row, (_, item) in zip(arc.rows, measured(arc, model).iterrows(), strict=True):
        scores = [total(model, decoder.tokenizer, row["question"], f" {choice}") / length(choice) for choice in row["choices"]]
        assert int(item["prediction"]) == scores.index(max(scores))
        assert item["right"] == float(item["prediction"] == row["gold"])
        gold = scores.pop(int(row["gold"]))
        assert item["gold_nats"] == pytest.approx(gold, rel=1e-5)
        shares = np.exp(np.array([gold, *scores]) - max(gold, *scores))
        assert item["value"] == pytest.approx(np.log(shares[0] / shares[1:].sum()), abs=1e-4)


def test_what_follows_a_blank_is_scored_under_each_choice(library, decoder, decoding, made):
    model = decoder.load().eval()
    winogrande = made(library.probe("winogrande"), decoding)
    for row, (_, item) in zip(winogrande.rows, measured(winogrande, model).iterrows(), strict=True):
        before, after = row["question"].split("_")
        scores = [total(model, decoder.tokenizer, before + choice, " " + after.strip()) for choice in row["choices"]]
        assert int(item["prediction"]) == scores.index(max(scores))


def test_a_long_question_is_cut_alike_for_all_choices(decoder, own, made):
    row = {"question": "the film was good " * 40, "choices": ["a", "a very long choice indeed"], "gold": "0"}
    (first, _), (second, _) = made(own("multiple-choice", [row]), Encoding(decoder, 64)).requests(
        [(row["question"], f" {choice}") for choice in row["choices"]]
    )
    assert first == second
    assert len(first) < 64


@pytest.mark.parametrize("name", DATA_SETS)
def test_the_data_sets_have_faultless_rows(library, name):
    spec = library.probe(name)
    probe_class(spec).check(spec)
    assert len({row["gold"] for row in filled_rows(spec)}) > 1 or name == "sciq"


def test_prompts_are_worded_as_lm_evaluation_harness_words_them(library):
    def first(name, start):
        return next(row for row in filled_rows(library.probe(name)) if row["question"].startswith(start))

    copa = first("copa", "The man turned on the faucet")
    assert copa["question"] == "The man turned on the faucet therefore"
    assert copa["choices"] == ["the toilet filled with water.", "water flowed from the spout."]
    piqa = first("piqa", "Question: How do I ready a guinea pig cage")
    assert piqa["question"] == "Question: How do I ready a guinea pig cage for it's new occupants?\nAnswer:"
    assert first("boolq", "All biomass")["question"].endswith(
        "\nQuestion: does ethanol take more energy make that produces?\nAnswer:"
    )
    sciq = first("sciq", "\nQuestion: Who proposed the theory of evolution")
    assert sciq["choices"][int(sciq["gold"])] == "darwin"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"normalized": "bytes"}, "field 'normalized' is not known; allowed: normalised, blank"),
        ({"normalised": "tokens"}, "field 'normalised'"),
        ({"normalised": "bytes", "blank": "_"}, "there is no length to normalise by"),
    ],
)
def test_wrong_options_are_named(library, options, sentence):
    with pytest.raises(UserError, match=f"probe 'arc-easy', options of a multiple-choice probe: .*{sentence}"):
        probe_class(library.probe("arc-easy").model_copy(update={"options": options}))

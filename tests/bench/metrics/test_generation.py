"""Text metrics against the libraries' own corpus scores, and against torchmetrics' ROUGE."""

import numpy as np
import pandas as pd
import pytest
import sacrebleu
from torchmetrics.functional.text import rouge_score

from bench import metrics
from bench.errors import UserError
from bench.measuring.scoring import scores

SENTENCES = [
    "The treaty was signed in Vienna on 3 March 1918, and nobody was pleased.",
    'He said: "It\'s 3.5% of GDP" - and left (without his hat).',
    "Ein Satz mit Umlauten: Äpfel, Öl und Übermut.",
    "短い文。",
    "",
    "to be or not to be, that is the question",
]


def corpus(seed: int, references: int) -> tuple[list[str], list[list[str]]]:
    """Texts and their references: the real sentences, and such with words left out, repeated and moved."""
    generator = np.random.default_rng(seed)

    def changed(sentence: str) -> str:
        words = sentence.split()
        kept = [word for word in words for _ in range(generator.choice([0, 1, 1, 1, 2]))]
        return " ".join(generator.permutation(kept) if generator.random() < 0.3 else kept)

    originals = [str(each) for each in generator.choice(SENTENCES, size=generator.integers(1, 12))]
    golds = [[each, *(changed(each) for _ in range(references - 1))] for each in originals]
    return [changed(each) for each in originals], golds


@pytest.mark.parametrize("references", [1, 3])
def test_bleu_and_chrf_equal_sacrebleu(references: int):
    scores = []
    for seed in range(100):
        texts, golds = corpus(seed, references)
        streams = [list(stream) for stream in zip(*golds, strict=True)]
        for name, oracle in (("bleu", sacrebleu.corpus_bleu), ("chrf", sacrebleu.corpus_chrf)):
            found = metrics.counted(name).value(texts, golds)
            assert found == pytest.approx(oracle(texts, streams).score, rel=0, abs=1e-9), (name, texts)
            scores.append(found)
    assert np.mean(np.array(scores) > 10) > 0.5


def test_bleu_with_references_of_differing_number_equals_sacrebleu():
    texts, golds = (
        ["the cat sat on the mat today", "a dog barks"],
        [["the cat sat on a mat today"], ["a dog barked", "a dog barks loudly"]],
    )
    streams = [["the cat sat on a mat today", "a dog barked"], [None, "a dog barks loudly"]]
    assert metrics.counted("bleu").value(texts, golds) == pytest.approx(sacrebleu.corpus_bleu(texts, streams).score, abs=1e-9)


@pytest.mark.parametrize("name", ["rouge1", "rougeL"])
def test_rouge_equals_torchmetrics(name: str):
    for seed in range(50):
        texts, golds = corpus(seed, 2)
        expected = rouge_score(texts, golds, accumulate="best", rouge_keys=name)[f"{name}_fmeasure"]
        assert metrics.counted(name).value(texts, golds) == pytest.approx(float(expected), abs=1e-6), texts


@pytest.mark.parametrize("name", ["bleu", "chrf", "rouge1"])
def test_text_without_reference_is_an_error(name: str):
    with pytest.raises(UserError, match="item 2: there is no reference"):
        metrics.counted(name).value(["a", "b"], [["a"], []])


def test_a_signature_is_that_of_sacrebleus_own_score():
    golds = [["a b c", "a b d"], ["x y z", "x y"]]
    for name, scorer in (("bleu", sacrebleu.BLEU()), ("chrf", sacrebleu.CHRF())):
        scorer.corpus_score(["a b c", "x y z"], [list(stream) for stream in zip(*golds, strict=True)])
        assert metrics.counted(name).signature(golds) == scorer.get_signature().format()
    assert metrics.counted("chrf").signature([["a"], ["a", "b"]]).startswith("nrefs:var|")
    assert metrics.counted("rougeL").signature(golds) is None


@pytest.mark.parametrize("name", ["bleu", "chrf"])
def test_an_interval_stays_between_0_and_100(name):
    """Planted fault: of few texts of which hardly a word is right, BLEU's reached below 0."""
    golds = [["to be or not to be, that is the question"]] * 4
    written = ["to be or not to be, that was it", "something", "else", "entirely"]
    score = scores(pd.DataFrame({"prediction": written, "gold": golds}), [name])[name]
    assert 0 <= score.ci_low < score.value < score.ci_high <= 100


def test_a_long_answer_to_a_short_reference_weighs_by_both():
    bleu = metrics.counted("bleu")
    counts = bleu.counts(["one two three four five", "one"], [["one two three"], ["one two three four"]])
    assert bleu.weights(counts).tolist() == [5 + 3, 1 + 4]

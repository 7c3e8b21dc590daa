"""Entities against seqeval on random corpora, with all that a model may answer: I- after O, types that change inside."""

import warnings

import numpy as np
import pytest
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as conlleval
from seqeval.metrics.v1 import precision_recall_fscore_support as strict
from seqeval.scheme import IOB2

from bench import metrics
from bench.errors import UserError

TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-a-b", "I-a-b"]
CORPORA = 1000


def corpus(generator: np.random.Generator) -> tuple[list[list[str]], list[list[str]]]:
    """Predicted and gold tags of a few sentences, some without tokens, of one token or without entities."""
    tags = generator.choice(TAGS, size=generator.integers(1, len(TAGS) + 1), replace=False)
    lengths = generator.integers(0, 8, size=generator.integers(1, 6))
    gold = [[str(tag) for tag in generator.choice(tags, size=length)] for length in lengths]
    # Near the gold tags, so that there are hits.
    guess = [[tag if generator.random() < 0.7 else str(generator.choice(tags)) for tag in sentence] for sentence in gold]
    return guess, gold


@pytest.fixture(scope="module")
def corpora() -> list[tuple[list[list[str]], list[list[str]]]]:
    generator = np.random.default_rng(0)
    return [corpus(generator) for _ in range(CORPORA)]


def values(names: list[str], guess: list[list[str]], gold: list[list[str]]) -> list[float]:
    return [metrics.counted(name).value(guess, gold) for name in names]


def test_equal_seqeval(corpora):
    hits = 0
    for guess, gold in corpora:
        expected = conlleval(gold, guess, average="micro", zero_division=0)[:3]
        found = values(["entity_precision", "entity_recall", "entity_f1"], guess, gold)
        assert found == pytest.approx(expected, rel=0, abs=1e-12), (guess, gold)
        hits += 0 < found[2] < 1
    assert hits > CORPORA / 2


def test_strict_equal_seqeval_with_iob2(corpora):
    differing = 0
    for guess, gold in corpora:
        expected = strict(gold, guess, average="micro", zero_division=0, scheme=IOB2)[:3]
        found = values(["entity_precision_strict", "entity_recall_strict", "entity_f1_strict"], guess, gold)
        assert found == pytest.approx(expected, rel=0, abs=1e-12), (guess, gold)
        differing += found[2] != metrics.counted("entity_f1").value(guess, gold)
    assert differing > CORPORA / 2


def test_macro_equals_seqeval(corpora):
    for guess, gold in corpora:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # seqeval's mean over no types is nan; ours is 0
            expected = np.nan_to_num(conlleval(gold, guess, average="macro", zero_division=0)[2])
        assert metrics.counted("entity_f1_macro").value(guess, gold) == pytest.approx(expected, rel=0, abs=1e-12), (guess, gold)


def test_a_malformed_answer_is_a_wrong_entity_and_no_type_to_average_over():
    right, malformed = ["B-PER", "O", "B-LOC"], ["B-malformed", "O", "O"]
    guess, gold = [right, malformed], [right, right]
    assert metrics.counted("entity_f1_macro").value(guess, gold) == 2 / 3  # of both types two are to be found, and one is
    assert metrics.counted("entity_precision").value(guess, gold) == 2 / 3


@pytest.mark.parametrize("name", [name for name in metrics.metric_names() if name.startswith("entity")])
def test_without_entities_all_is_zero_as_with_seqevals_zero_division(name: str):
    assert metrics.counted(name).value([["O", "O"], []], [["O", "O"], []]) == 0
    assert metrics.counted(name).value([["O"]], [["B-PER"]]) == 0
    assert metrics.counted(name).value([["B-PER"]], [["O"]]) == 0


def test_tags_that_are_not_one_per_token_are_an_error():
    with pytest.raises(UserError, match="item 2: 1 predicted tags for 2 tokens"):
        metrics.counted("entity_f1").value([["O"], ["O"]], [["O"], ["O", "O"]])


@pytest.mark.parametrize("tag", ["E-PER", "X-PER", ""])
def test_tags_that_are_not_iob2_are_an_error_where_it_is_strict(tag: str):
    with pytest.raises(UserError, match="item 1: tags must be O, B-TYPE or I-TYPE"):
        metrics.counted("entity_f1_strict").value([[tag]], [["O"]])


def test_words_of_long_spans_count_one_by_one():
    gold = ["B-PER", "I-PER", "I-PER", "O", "B-LOC"]
    guess = ["O", "B-PER", "I-PER", "B-PER", "B-PER"]
    # Two of the four words said, of the four that are right; the last has another type.
    assert metrics.counted("entity_word_f1").value([guess], [gold]) == pytest.approx(2 * 2 / 8)
    assert metrics.counted("entity_word_f1").value([gold, ["O"]], [gold, ["O"]]) == 1

"""chrF and BLEU by hand; test_counting.py holds them to sacrebleu."""

from math import exp

import pytest

from reports.audit.chrf_and_bleu import bleu, bleu_terms, chrf, chrf_terms


def test_chrf_of_two_letters():
    """`ab` for `abc`: unigrams 2 of 2 and 2 of 3, bigrams 1 of 1 and 1 of 2; no longer ones on both."""
    terms = chrf_terms("a b", ["abc"])
    assert (terms["hits", 1], terms["said", 1], terms["right", 1], terms["right", 3]) == (2, 2, 3, 1)
    precision, recall = 1.0, (2 / 3 + 1 / 2) / 2
    assert chrf(terms) == pytest.approx(100 * 5 * precision * recall / (4 * precision + recall))


def test_of_two_equal_references_the_one_counts_that_sacrebleu_takes():
    """Their scores differ in the last digit alone, by the order in which they are added up."""
    from sacrebleu import CHRF

    said, right = "bcc.", [".ce", "ce"]
    statistics = CHRF()._extract_corpus_statistics([said], [[each] for each in right])[0]
    terms = chrf_terms(said, right)
    assert [terms[side, n] for n in range(1, 7) for side in ("said", "right", "hits")] == statistics


def test_the_best_reference_counts():
    assert chrf(chrf_terms("ab", ["x", "ab", "a"])) == 100


def test_bleu_of_a_short_text():
    """Three words of four: no 4-gram, so nothing; four of five: all right, and too short."""
    assert bleu(bleu_terms("a b c", ["a b c d"])) == 0
    assert bleu(bleu_terms("a b c d", ["a b c d e"])) == pytest.approx(100 * exp(1 - 5 / 4))


def test_a_word_said_twice_is_right_once():
    terms = bleu_terms("the the the the", ["the cat", "the the mat"])
    assert (terms["hits", 1], terms["said", 1], terms["length", "right"]) == (2, 4, 3)

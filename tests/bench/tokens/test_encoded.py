"""Batches against tables by hand."""

import pytest
import torch

from bench.tokens.encoded import IGNORE, Encoded, collate

CPU = torch.device("cpu")


def test_a_decoders_padding_stands_left_and_labels_end_together():
    batch = collate([Encoded((5, 6, 7, 8), answer=2), Encoded((9, 10), answer=1)], 0, CPU)
    assert batch.input_ids.tolist() == [[5, 6, 7], [0, 0, 9]]
    assert batch.attention_mask.tolist() == [[1, 1, 1], [0, 0, 1]]
    assert batch.position_ids.tolist() == [[0, 1, 2], [0, 0, 0]]
    assert batch.labels.tolist() == [[7, 8], [IGNORE, 10]]
    assert batch.head is None and batch.weights is None and batch.types is None


def test_what_others_say_between_answers_carries_no_loss():
    dialogue, other = Encoded((5, 6, 7, 8, 9), answer=4, silent=(1, 2)), Encoded((9, 10), answer=1)
    batch = collate([dialogue, other], 0, CPU)
    assert batch.labels.tolist() == [[6, IGNORE, IGNORE, 9], [IGNORE, IGNORE, IGNORE, 10]]
    assert batch.targets.tolist() == [0, 3, 7] and dialogue.targets == 2


def test_an_encoders_padding_stands_right_and_labels_begin_together():
    tags = [Encoded((5, 6, 7), labels=(IGNORE, 1, IGNORE)), Encoded((8, 9), labels=(2, IGNORE))]
    batch = collate(tags, 0, CPU)
    assert batch.input_ids.tolist() == [[5, 6, 7], [8, 9, 0]]
    assert batch.attention_mask.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert batch.labels.tolist() == [[IGNORE, 1, IGNORE], [2, IGNORE, IGNORE]]
    assert batch.head == 0
    spans = collate([Encoded((5, 6, 7), labels=(1, 2)), Encoded((8,), labels=(0, 0))], 0, CPU)
    assert spans.labels.tolist() == [[1, 2], [0, 0]]


def test_types_and_weights_and_the_head_reach_the_batch():
    batch = collate(
        [Encoded((5, 6), labels=(1,), types=(0, 1), head=2), Encoded((7,), labels=(0,), types=(0,), head=2)], 0, CPU
    )
    assert batch.types.tolist() == [[0, 1], [0, 0]] and batch.head == 2 and batch.weights is None
    batch = collate([Encoded((5, 6), answer=1, weight=0.25), Encoded((5, 6), answer=1)], 0, CPU)
    assert batch.weights.tolist() == [0.25, 1.0]


@pytest.mark.parametrize(
    ("encoded", "fed", "targets", "mass"),
    [
        (Encoded((1, 2, 3, 4), answer=2, weight=0.5), 3, 2, 1.0),
        (Encoded((1, 2, 3, 4), answer=3, silent=(1,), weight=0.5), 3, 2, 1.0),
        (Encoded((1, 2, 3), labels=(IGNORE, 4, IGNORE)), 3, 1, 1.0),
        (Encoded((1, 2, 3), labels=(0, 2), weight=0.25), 3, 2, 0.5),
    ],
)
def test_what_counts_in_the_mean(encoded, fed, targets, mass):
    assert (encoded.fed, encoded.targets, encoded.mass) == (fed, targets, mass)

from hypothesis import given
from hypothesis import strategies as st

from bench.tokens.encoded import Encoded
from bench.tokens.token_counts import TokenCounts, padded_counts, useful_counts


def decoded(length, answer):
    """Fed `length` tokens: its last one is only predicted."""
    return Encoded(tuple(range(length + 1)), answer=answer)


def test_a_decoders_batch_by_hand():
    batch = [decoded(10, 1), decoded(7, 3)]
    assert padded_counts(batch) == TokenCounts(tokens=20, pairs=200, positions=4, rows=2)
    assert useful_counts(batch) == TokenCounts(tokens=17, pairs=149, positions=4, rows=2)


def test_an_encoders_head_answers_once_or_at_each_token():
    text = [Encoded((1,) * 5, labels=(1,)), Encoded((1,) * 8, labels=(0,))]
    assert padded_counts(text) == TokenCounts(tokens=16, pairs=128, positions=2, rows=2)
    spans = [Encoded((1,) * 5, labels=(1, 4)), Encoded((1,) * 8, labels=(0, 0))]
    assert padded_counts(spans) == TokenCounts(tokens=16, pairs=128, positions=16, rows=2)
    assert useful_counts(spans).positions == 13


def test_choices_are_padded_to_the_longest_and_useful_as_they_are():
    both = Encoded((1,) * 50, labels=(0,), types=(0,) * 50, lengths=(10, 40))
    assert padded_counts([both]) == TokenCounts(tokens=80, pairs=3200, positions=2, rows=2)
    assert useful_counts([both]) == TokenCounts(tokens=50, pairs=1700, positions=2, rows=2)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)).map(lambda pair: decoded(max(pair), min(pair))), min_size=1))
def test_padding_only_adds(batch):
    padded, useful = padded_counts(batch), useful_counts(batch)
    assert all(more >= less for more, less in zip(padded.counts, useful.counts, strict=True))
    if len({(e.fed, e.answer) for e in batch}) == 1:
        assert padded == useful

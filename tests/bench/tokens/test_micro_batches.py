"""Micro-batches: every example once, below the bound, and beginnings shared where that computes less."""

from hypothesis import given
from hypothesis import strategies as st

from bench.tokens.batches import PASS_TOKENS
from bench.tokens.encoded import Encoded
from bench.tokens.micro_batches import COPIED_RATIO, MicroBatch, micro_batches
from bench.tokens.token_counts import TokenCounts


@given(
    st.lists(st.tuples(st.integers(1, 200), st.integers(0, 2)), min_size=1, max_size=60),
    st.integers(1, 4),
    st.integers(50, 500),
)
def test_processes_share_a_step_without_gap_or_overlap_and_in_step(items, world, tokens):
    step = [Encoded(tuple(range(length)), labels=(number,), head=head) for number, (length, head) in enumerate(items)]
    parts = [[batch.rows for batch in micro_batches(step, tokens, rank, world)] for rank in range(world)]
    assert len({len(part) for part in parts}) == 1
    assert all(part for rank in parts for part in rank)  # who has none of its own takes part with one that weighs nothing
    found = [encoded.labels[0] for part in parts for batch in part for encoded in batch if encoded.weight]
    assert sorted(found) == list(range(len(step)))
    assert all(len(batch) == 1 or max(each.size for each in batch) * len(batch) <= tokens for part in parts for batch in part)
    for turn in zip(*parts, strict=True):  # at one time all processes go through the same head
        assert len({encoded.head for batch in turn for encoded in batch}) == 1


def texts(shared, rests, answer=1):
    """They agree in so many tokens, and then differ at once."""
    return [Encoded((*range(shared), *[1000 + number] * rest), answer=answer) for number, rest in enumerate(rests)]


def cut(step, tokens=1024, sharing=True):
    return micro_batches(step, tokens, 0, 1, sharing)


def test_a_beginning_of_all_texts_is_read_once_where_that_computes_less():
    """By hand: 16 texts of 24 and 16 tokens, of which the last is only predicted."""
    (once,), (whole,) = cut(texts(24, [16] * 16)), cut(texts(24, [16] * 16), sharing=False)
    assert (once.shared, len(once.rows)) == (24, 16) and whole.shared == 0
    assert once.work == TokenCounts(24 + 16 * 15, 24**2 + 16 * 15 * 39, 16, 16)
    assert whole.work == TokenCounts(16 * 39, 16 * 39**2, 16, 16)
    assert whole.cost - once.cost == 15 * 24 - PASS_TOKENS - 16


def test_a_few_tokens_are_read_with_each_text():
    """As "Review:" before each review, also where a step has hundreds of them."""
    for rows in (16, 64, 256):
        step = texts(3, [25] * rows)
        assert cut(step) == cut(step, sharing=False)


def test_texts_that_begin_otherwise_are_read_whole_beside_them():
    alike, other = texts(40, [10] * 14), Encoded(tuple(range(500, 550)), answer=49)
    found = cut([*alike, other])
    assert sorted((batch.shared, len(batch.rows)) for batch in found) == [(0, 1), (40, 14)]
    # What is learned is not shared, however alike it is.
    assert all(batch.shared == 0 for batch in cut(texts(40, [10] * 16, answer=49)))
    assert all(batch.shared == 5 for batch in cut(texts(400, [10] * 60, answer=404), 100_000) if len(batch.rows) > 1)


def test_an_encoder_reads_each_text_whole():
    step = [Encoded((*range(40), 100 + number), labels=(1,)) for number in range(16)]
    assert cut(step) == cut(step, sharing=False)


@given(st.integers(0, 90), st.lists(st.integers(2, 120), min_size=1, max_size=40), st.integers(1, 3), st.integers(30, 1500))
def test_each_text_is_in_one_batch_below_the_bound_and_nothing_costs_more(shared, rests, answer, tokens):
    step = texts(shared, [max(rest, answer + 1) for rest in rests], answer)
    found = cut(step, tokens)
    assert sorted(id(each) for batch in found for each in batch.rows) == sorted(map(id, step))
    assert sum(batch.cost for batch in found) <= sum(batch.cost for batch in cut(step, tokens, sharing=False))
    for batch in found:
        assert len({each.ids[: batch.shared] for each in batch.rows}) == 1
        assert all(batch.shared < each.fed - each.answer + 1 for each in batch.rows)
        if len(batch.rows) > 1:
            longest = max(each.size for each in batch.rows)
            assert batch.work.tokens <= tokens
            assert not batch.shared or len(batch.rows) * longest <= COPIED_RATIO * tokens
        else:
            assert batch == MicroBatch(batch.rows)

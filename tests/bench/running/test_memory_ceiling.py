"""A memory ceiling as it is planned, and kept."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from bench.errors import BudgetError
from bench.running import memory_ceiling
from bench.running.memory_ceiling import HEADROOM, UNPLANNED, Fit, fit, most_held
from bench.running.sizes import Memory
from bench.training.loop import Padding


def under(run, gigabytes):
    return replace(run, budget=replace(run.budget, memory=round(gigabytes * 1e9)))


@pytest.fixture(scope="module")
def minilm(planned):
    """Full training of MiniLM: weights, gradients and moments are 0.36 GB, a micro-batch of 1,024 tokens .17 GB more."""
    return planned("full", suite="sentiment", model="minilm")


def test_without_a_ceiling_nothing_changes(minilm):
    found = fit(minilm, 40)
    assert (found.tokens, found.checkpointing, found.changed) == (Padding.tokens, False, False)
    long = fit(minilm, 2048)  # a longer example is a micro-batch by itself
    assert long.tokens == Padding.tokens and long.memory.activations == 2 * found.memory.activations and not long.changed
    assert not fit(under(minilm, 4), 40).changed


def test_first_micro_batches_get_smaller_and_then_blocks_are_checkpointed(minilm):
    whole = fit(minilm, 40)
    held = memory_ceiling._state_bytes(whole)
    assert held == pytest.approx(
        16 * whole.memory.parameters + 4 * 30522 * 384, rel=1e-4
    )  # and once more the embedding's gradient

    def room_for(activations):
        return under(minilm, most_held(held + activations) / 1e9)

    half = fit(room_for(whole.memory.activations / 2), 40)
    assert half.tokens == pytest.approx(512, abs=1) and not half.checkpointing and half.changed
    assert str(half) == f"micro-batches of {half.tokens} tokens"
    assert half.memory.activations == pytest.approx(whole.memory.activations / 2, rel=0.01)
    # Texts of 256 tokens: a micro-batch of one is above this ceiling, and below it with checkpointing.
    tight = room_for(whole.memory.activations / 8)
    assert fit(tight, 100).tokens == pytest.approx(128, abs=1)
    last = fit(tight, 256)
    assert last.checkpointing and last.tokens == 256 and str(last).endswith("tokens and gradient checkpointing")
    assert most_held(held + last.memory.activations) <= tight.budget.memory


def test_what_does_not_fit_is_told(minilm):
    with pytest.raises(BudgetError, match=r"does not fit into 0\.3 GB: with micro-batches of one example \(40 tokens\)"):
        fit(under(minilm, 0.3), 40)


def test_a_row_that_trains_nothing_has_no_ceiling(planned):
    assert not fit(under(planned("zero-shot", model="minilm"), 0.001), 40).changed


def test_a_quantised_base_was_there_in_fp32_on_a_cpu_and_not_on_a_gpu(monkeypatch):
    memory = Memory(trainable=10, parameters=1000, weights=1100, gradients=40, optimizer=80, activations=5)
    fitted = Fit(nn.Linear(2, 5, bias=False), memory, 64)
    monkeypatch.setattr(memory_ceiling, "uses_gpu", lambda: False)
    assert memory_ceiling._state_bytes(fitted) == 4000 + 40 + 80 + 40
    monkeypatch.setattr(memory_ceiling, "uses_gpu", lambda: True)
    assert memory_ceiling._state_bytes(fitted) == 1100 + 40 + 80 + 40


@given(st.integers(0, 10**12))
def test_what_may_be_planned_under_a_ceiling_is_the_most_with_which_it_is_kept(limit):
    planned = memory_ceiling._plannable(limit)
    assert most_held(planned) <= limit * (1 + 1e-9) + 1 and most_held(planned + 10) > limit


def test_a_small_model_has_room_for_what_hangs_on_no_model_and_a_gpu_counts_tensors_alone(monkeypatch):
    monkeypatch.setattr(memory_ceiling, "uses_gpu", lambda: False)
    assert most_held(10**6) == 10**6 + UNPLANNED and most_held(10**10) == HEADROOM * 10**10
    monkeypatch.setattr(memory_ceiling, "uses_gpu", lambda: True)
    assert most_held(10**6) == HEADROOM * 10**6


@given(st.integers(-(10**6), 10**10), st.integers(1, 10**9), st.integers(1, 1024))
def test_room_is_the_most_that_stays_below(left, activations, longest):
    room = memory_ceiling._room(left, Memory(1, 1, 1, 1, 1, activations), 1024, longest)
    assert room == 0 or longest <= room <= 1024
    assert activations * room / 1024 <= max(left, 0) * (1 + 1e-9)
    if room < 1024:
        assert activations * max(room + 1, longest) / 1024 > left * (1 - 1e-9)


def test_where_no_block_trains_only_the_weights_must_fit(planned):
    """Then nothing is kept for a backward pass, so that a micro-batch has as many tokens as without a ceiling."""
    head = planned("frozen", suite="sentiment", model="minilm", settings=["frozen=1.0"])
    found = fit(under(head, 4), 40)
    assert found.memory.activations == 0 and found.tokens == Padding.tokens and not found.changed
    with pytest.raises(BudgetError, match=r"does not fit into 0\.05 GB"):
        fit(under(head, 0.05), 40)

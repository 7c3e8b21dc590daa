"""A training's state, written and read again: nothing of it is lost, and a training goes on as if it had not stopped."""

import random

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from transformers import LlamaConfig, LlamaForCausalLM

from bench.errors import RunError
from bench.records.outcome import Point
from bench.strategies.base import Hyperparameters
from bench.tokens.encoded import Encoded
from bench.tokens.work import Work
from bench.training import loop
from bench.training.state import BestWeights, TrainingState


def seen():
    """A state in the middle of a second stage."""
    point = Point(step=2, examples=32, score=0.5, gain=-0.25, forgetting={"wikipedia": 0.125})
    best = BestWeights([0.1, 0.3, 0.2], {"a.weight": torch.randn(3, 4), "b": torch.ones(2, dtype=torch.bfloat16)}, step=4)
    return TrainingState(
        stage=1,
        step=6,
        steps=10,
        examples=160,
        tokens=1234,
        computed=Work(2000, 30_000, 80, 40),
        useful=Work(1234, 20_000, 56, 40),
        seconds=7.5,
        earlier_seconds=2.5,
        timed=[0.5, 0.625],
        ended_by="tokens",
        kept_by="micro-batches of 64 tokens",
        losses=[0.9, 0.1 + 0.2],
        validation=[0.25],
        curve=[point],
        stage_scores=[[0.5, 0.25]],
        stage_answers=[[[{"item": "test-1", "gold": ["a"], "prediction": ""}], []]],
        best=best,
    )


def test_what_is_written_is_read(tmp_path):
    state = seen()
    state.write(tmp_path / "state.safetensors")
    again = TrainingState.read(tmp_path / "state.safetensors")
    weights, read = state.best.weights, again.best.weights
    assert list(weights) == list(read) and all(torch.equal(weights[name], read[name]) for name in weights)
    assert all(weights[name].dtype == read[name].dtype for name in weights)
    state.best.weights = again.best.weights = {}
    assert again == state
    assert [path.name for path in tmp_path.iterdir()] == ["state.safetensors"]  # nothing half-written is left


def test_random_numbers_go_on_where_they_stood(tmp_path):
    def drawn():
        return random.random(), float(np.random.rand()), float(np.random.standard_normal()), torch.rand(1).item()

    np.random.standard_normal()  # of a pair of normal numbers one is kept for later: it is part of the state
    TrainingState().write(tmp_path / "state")
    expected = [drawn(), drawn()]
    for scramble in (random.seed, np.random.seed, torch.manual_seed):
        scramble(99)
    assert drawn() != expected[0]
    TrainingState.read(tmp_path / "state")
    assert [drawn(), drawn()] == expected


@pytest.mark.parametrize("content", [b"", b"no tensors", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_damaged_file_is_told(tmp_path, content):
    (tmp_path / "state").write_bytes(content)
    with pytest.raises(RunError, match="state: not a training state"):
        TrainingState.read(tmp_path / "state")


def test_the_end_of_a_stage_takes_down_what_it_came_to():
    state = seen()
    state.end_stage(96, "seconds")
    assert (state.stage, state.step, state.steps, state.examples) == (2, 0, 0, 256)
    assert state.validation == [0.25, 0.1, 0.3, 0.2] and state.best == BestWeights()
    assert (state.earlier_seconds, state.timed, state.ended_by) == (7.5, [], "seconds")
    assert (state.tokens, len(state.losses)) == (1234, 2)  # these are over all stages


def test_what_is_reached_after_so_many_steps_or_a_share_of_them():
    def at(every, steps=10):
        return [step for step in range(1, steps + 1) if TrainingState(step=step, steps=steps).reached(every)]

    assert at(4) == [4, 8, 10] and at(0.25) == [2, 4, 6, 8, 10] and at(0.01, 3) == [1, 2, 3]


def test_a_share_of_the_time_is_reached_by_the_step_that_passes_it():
    """Whatever the number of steps is taken to be by then."""
    marks = [0.0, 0.2, 0.26, 0.3, 0.8, 0.9, 0.99]
    states = [TrainingState(step=n + 1, steps=9 + n, timed=[*marks[n : n + 2]]) for n in range(6)]
    assert [state.reached(0.25) for state in states] == [False, True, False, True, False, False]
    assert TrainingState(step=7, steps=7, timed=[0.9, 0.99]).reached(0.25)  # the end


def test_a_training_goes_on_from_what_was_read(tmp_path):
    """Dropout draws random numbers: without the generators' states the losses would differ. The optimiser is without momentum
    here, as its state is the launcher's to save."""
    generator = torch.Generator().manual_seed(0)
    steps = [[Encoded(tuple(torch.randint(3, 99, (12,), generator=generator).tolist()), answer=6)] for _ in range(6)]
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    values = Hyperparameters(learning_rate=1e-9, schedule="constant", warmup=0)

    def model():
        torch.manual_seed(1)
        return LlamaForCausalLM(LlamaConfig(vocab_size=99, attention_dropout=0.5, **shape))

    def stopping(watched, state):
        if state.step == 3:
            state.write(tmp_path / "state")
        return state.step == 3

    uninterrupted = model()
    torch.manual_seed(2)
    whole = loop.train(uninterrupted, steps, values, Accelerator(cpu=True), loop.Padding(0))
    stopped = model()
    torch.manual_seed(2)
    loop.train(stopped, steps, values, Accelerator(cpu=True), loop.Padding(0), watches=[stopping])
    torch.manual_seed(77)
    state = TrainingState.read(tmp_path / "state")
    again = loop.train(stopped, steps, values, Accelerator(cpu=True), loop.Padding(0), state)
    assert again is state and (state.step, len(state.losses)) == (6, 6)
    assert state.losses == pytest.approx(whole.losses, rel=1e-5)
    assert len(set(whole.losses)) == 6

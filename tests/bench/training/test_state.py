"""A training's state, written and read again: nothing of it is lost."""

import json

import torch

from bench.records.outcome import Point
from bench.records.trial import Rung
from bench.tokens.token_counts import TokenCounts
from bench.training.state import BestWeights, TrainingState


def seen():
    """A state in the middle of a second stage."""
    point = Point(step=2, examples=32, score=0.5, gain=-0.25, forgetting={"wikipedia": 0.125})
    best = BestWeights([0.1, 0.3, 0.2], {"a.weight": torch.randn(3, 4), "b": torch.ones(2, dtype=torch.bfloat16)})
    return TrainingState(
        stage=1,
        step=6,
        steps=10,
        examples=160,
        tokens=1234,
        computed=TokenCounts(2000, 30_000, 80, 40),
        useful=TokenCounts(1234, 20_000, 56, 40),
        seconds=7.5,
        earlier_seconds=2.5,
        longest_seconds=2.5,
        timed=[0.5, 0.625],
        elapsed=[0.0, 2.0, 5.0],
        rungs=[Rung(share=0.25, score=0.5)],
        peak_bytes=10**10,
        resumed=[3],
        ended_by="tokens",
        kept_by="micro-batches of 64 tokens",
        losses=[0.9, 0.1 + 0.2],
        validation=[0.25],
        curve=[point],
        stage_scores=[[0.5, 0.25]],
        stage_answers=[[[{"item": "test-1", "gold": ["a"], "prediction": ""}], []]],
        best=best,
    )


def test_what_is_written_as_json_is_read():
    state = seen()
    again = TrainingState.of_json(json.loads(json.dumps(state.as_json())), dict(state.best.weights))
    assert list(again.best.weights) == list(state.best.weights)
    state.best.weights = again.best.weights = {}
    assert again == state


def test_the_end_of_a_stage_takes_down_what_it_came_to():
    state = seen()
    state.end_stage(96, "seconds")
    assert (state.stage, state.step, state.steps, state.examples) == (2, 0, 0, 256)
    assert state.validation == [0.25, 0.1, 0.3, 0.2] and state.best == BestWeights()
    assert (state.earlier_seconds, state.timed, state.elapsed, state.ended_by) == (7.5, [], [], "seconds")
    assert state.longest_seconds == 5.0
    assert (state.tokens, len(state.losses)) == (1234, 2)  # these are over all stages


def test_what_is_reached_after_so_many_steps_or_a_share_of_them():
    def at(every, steps=10):
        return [step for step in range(1, steps + 1) if TrainingState(step=step, steps=steps).reached(every)]

    assert at(4) == [4, 8, 10] and at(0.01, 3) == [1, 2, 3]
    assert at(0.25) == [3, 5, 8, 10] and at(0.25, 25) == [7, 13, 19, 25]  # as many as the share says
    for share, parts in ((0.1, 10), (0.2, 5), (0.05, 20)):
        assert [len(at(share, steps)) for steps in (20, 30, 40, 97)] == [parts] * 4


def test_a_share_of_the_time_is_reached_by_the_step_that_passes_it():
    """Whatever the number of steps is taken to be by then."""
    marks = [0.0, 0.2, 0.26, 0.3, 0.8, 0.9, 0.99]
    states = [TrainingState(step=n + 1, steps=9 + n, timed=[*marks[n : n + 2]]) for n in range(6)]
    assert [state.reached(0.25) for state in states] == [False, True, False, True, False, False]
    assert TrainingState(step=7, steps=7, timed=[0.9, 0.99]).reached(0.25)  # the end

"""When a training ends by the clock, told by a clock that is not one."""

import random
from statistics import fmean

import pytest
from accelerate import Accelerator
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertConfig, BertForSequenceClassification

from bench.errors import TooSlowError
from bench.strategies.base import Hyperparameters
from bench.tokens.encoded import Encoded
from bench.training import loop
from bench.training.course import UNKNOWN, Draw, Listed, Timed
from bench.training.state import TrainingState


def example(tokens):
    return [Encoded(tuple(range(3, 3 + tokens)), labels=(0,))]


class Source(Draw):
    """Batches of examples of random length; at most so many examples."""

    def __init__(self, batch=16, most=None, seed=0):
        self.batch, self.most, self.drawn, self.asked = batch, most, 0, []
        self.random = random.Random(seed)

    @property
    def share(self):
        return self.drawn / self.most if self.most else 0.0

    def draw(self, progress):
        self.asked.append(progress)
        left = self.batch if self.most is None else min(self.batch, self.most - self.drawn)
        if left < self.batch:
            self.ended_by = "examples"
        self.drawn += left
        return [example(self.random.randint(5, 60)) for _ in range(left)]


class Equal(Source):
    """Batches of 12 examples of one length, each of other tokens; `last` is the last of them."""

    def __init__(self):
        super().__init__(12)

    def draw(self, progress):
        self.last = [Encoded(tuple(range(self.drawn + n, self.drawn + n + 10)), labels=(0,)) for n in range(12)]
        self.drawn += 12
        return [[text] for text in self.last]


def driven(course, seconds_of, state=None):
    """The steps that a course gives where each takes the seconds that `seconds_of` says, and the state at the end."""
    state, steps, places = state or TrainingState(), [], []
    while (step := course.next(state)) is not None:
        places.append(course.place(state))
        state.step += 1
        state.seconds += seconds_of(sum(e.fed for e in step))
        steps.append(step)
    return steps, places, state


def test_the_longest_text_is_as_long_as_a_batch_of_it_alone():
    """Choices are rows that are padded to their longest, and a decoder is not fed its last token."""
    choices, text = Encoded((1,) * 60, labels=(0,), lengths=(10, 50)), Encoded((1,) * 40, answer=2)
    assert Listed([[choices], [choices]]).longest == 100 and Listed([[text]]).longest == 39 and Listed([]).longest == 0


def test_a_list_ends_with_its_last_step():
    course = Listed([example(5), example(9), example(7)], 40, "tokens")
    assert course.longest == 9
    steps, places, state = driven(Listed([example(3), example(4)]), lambda tokens: 1.0)
    assert len(steps) == 2 and places == [(0, 2), (1, 2)] and state.steps == 2
    assert course.ended_by == "tokens" and [course.examples_after(step, 16) for step in range(4)] == [0, 16, 32, 40]


@settings(deadline=None)
@given(st.floats(5, 20), st.floats(0.0, 0.3), st.floats(1e-4, 3e-3), st.integers(0, 9))
def test_time_is_kept_to_two_per_cent_where_steps_take_what_they_say(seconds, start, per_token, seed):
    """A step costs something whatever its size, and so much per token. Steps up to a third of the whole are cut to fit."""
    course = Timed(Source(seed=seed), seconds)
    steps, places, state = driven(course, lambda tokens: start + per_token * tokens)
    assert state.seconds <= 1.02 * seconds and course.ended_by == "seconds" and state.steps == state.step
    # What is left is less than one more example would take, and what a step costs whatever its size.
    assert seconds - state.seconds < max(start + 60 * per_token, 0.02 * seconds) + 1e-9
    assert course.examples == sum(map(len, steps)) and all(len(step) == 16 for step in steps[:-1])
    assert all(0 <= step < steps for step, steps in places)


def test_noise_does_not_pass_the_end():
    noise = random.Random(1)
    for seed in range(20):
        course = Timed(Source(seed=seed), 20.0)
        *_, state = driven(course, lambda tokens: (0.05 + 4e-4 * tokens) * noise.uniform(0.8, 1.25))
        assert 19.6 < state.seconds < 20.4


def test_a_cut_step_that_was_quicker_than_thought_is_followed_by_what_was_cut_off():
    """Steps of 3 s for 9 s, and then 2 s are left. Two thirds of a step are expected to take them, and take .5 s; then the rest
    of it is expected to take 1 s, and the time is over."""
    source = Equal()
    times = iter([3.0, 3.0, 3.0, 0.5, 1.4])
    course = Timed(source, 11.0)
    steps, _, state = driven(course, lambda tokens: next(times))
    assert [len(step) for step in steps] == [12, 12, 12, 8, 4] and source.drawn == 4 * 12
    assert [text for step in steps[3:] for text in step] == source.last  # in their order, none left out and none twice
    assert course.ended_by == "seconds" and state.steps == 5 and course.examples == 48
    assert [course.examples_after(step, 12) for step in range(6)] == [0, 12, 24, 36, 44, 48]


def test_what_a_cut_step_left_is_no_step_beyond_the_budgets():
    """Planted fault: of `4steps,11s` five were done, and the row was marked for a step that nobody had asked for."""
    times = iter([3.0, 3.0, 3.0, 0.5])
    course = Timed(Equal(), 11.0, most_steps=4)
    steps, _, state = driven(course, lambda tokens: next(times))
    assert [len(step) for step in steps] == [12, 12, 12, 8]
    assert course.ended_by == "steps" and state.steps == 4 and course.examples == 44


def test_nothing_follows_a_cut_step_that_took_its_time():
    """.2 s of 11 are below the tolerance."""
    times = iter([3.0, 3.0, 3.0, 1.8])
    steps, _, state = driven(Timed(Equal(), 11.0), lambda tokens: next(times))
    assert [len(step) for step in steps] == [12, 12, 12, 8] and state.seconds == pytest.approx(10.8)


def test_the_schedule_follows_the_share_of_the_time():
    """Steps of one second, 10 in all; what the first step's time will be is not known before it."""
    source = Source()
    steps, places, _ = driven(Timed(source, 10.0), lambda tokens: 1.0)
    assert places == [(0, UNKNOWN), *[(n, 10) for n in range(1, 10)]] and len(steps) == 10
    assert source.asked == pytest.approx([n / 10 for n in range(10)])
    values = Hyperparameters(learning_rate=0.5, warmup=0.0)
    rates = [loop.learning_rate(*place, values) for place in places[1:]]
    assert rates == pytest.approx([0.5 * (1 - n / 10) for n in range(1, 10)])


def test_another_limit_that_is_nearer_ends_it_and_sets_the_schedule():
    source = Source(most=40)
    course = Timed(source, 100.0)
    steps, places, state = driven(course, lambda tokens: 1.0)
    assert [len(step) for step in steps] == [16, 16, 8] and course.ended_by == "examples" and course.examples == 40
    assert places[0] == (0, pytest.approx(40 / 16)) and places[-1] == (2, 3)
    assert state.steps == 3 and course.examples_after(2, 16) == 32 and course.examples_after(3, 16) == 40


def test_a_second_stage_has_its_own_time():
    state = TrainingState(seconds=50.0, earlier_seconds=50.0)
    _, _, ended = driven(Timed(Source(), 10.0), lambda tokens: 0.5, state)
    assert 59.5 <= ended.seconds <= 60.2


def test_a_step_that_takes_longer_than_all_may_is_told():
    with pytest.raises(TooSlowError, match="one step of 16 examples took 3 s, and the budget is 2 s"):
        driven(Timed(Source(), 2.0), lambda tokens: 3.0)
    steps, *_ = driven(Timed(Source(), 2.0), lambda tokens: 2.0)
    assert len(steps) == 1


def test_every_process_takes_the_main_processs_time():
    """The clocks of two processes differ; the second is told the first one's."""
    told = []
    first, *_ = driven(Timed(Source(), 10.0, lambda value: told.append(value) or value), lambda tokens: 0.001 * tokens)
    words = iter(told)
    second, *_ = driven(Timed(Source(), 10.0, lambda _: next(words)), lambda tokens: 0.005 * tokens)
    assert second == first and len(first) > 5


class Clock:
    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now


def test_the_loop_ends_by_its_own_clock_and_watches_are_left_out(monkeypatch):
    clock, gradients = Clock(), loop._gradients

    def timed(wrapped, step, *more):
        clock.now += 0.1 + 0.001 * sum(e.fed for e in step)
        return gradients(wrapped, step, *more)

    def watch(model, state):
        clock.now += 1000.0
        ends.append(state.step == state.steps)
        return False

    ends: list[bool] = []
    monkeypatch.setattr(loop, "clock", clock.perf_counter)
    monkeypatch.setattr(loop, "_gradients", timed)
    shape = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1, "vocab_size": 99}
    model, course = BertForSequenceClassification(BertConfig(**shape)), Timed(Source(batch=4), 5.0)
    values = Hyperparameters(learning_rate=1e-3)
    state = loop.train(model, course, values, Accelerator(cpu=True), loop.Padding(0), watches=[watch])
    assert 4.8 < state.seconds <= 5.0 and len(state.losses) == state.step == state.steps > 10
    assert ends == [False] * (state.step - 1) + [True]
    assert fmean(state.losses[-5:]) < fmean(state.losses[:5])  # it trains

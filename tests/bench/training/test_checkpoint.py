"""A training that was stopped and goes on is the one that was never stopped: weights, losses, random numbers, bit for bit."""

import errno
import os
import weakref
from types import SimpleNamespace

import disks
import pytest
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType
from safetensors import safe_open
from transformers import LlamaConfig, LlamaForCausalLM

from bench.devices.memory import PeakMemory
from bench.processes import stopping
from bench.specs.checkpoint_every import CheckpointInterval
from bench.strategies.base import Hyperparameters
from bench.tokens.encoded import Encoded
from bench.training import checkpoint, loop
from bench.training.checkpoint import Checkpoint
from bench.training.course import Draw, Timed
from bench.training.early_stopping import EarlyStopping, restore
from bench.training.state import TrainingState

VALUES = Hyperparameters(learning_rate=1e-3, weight_decay=0.1)
STEPS = 6


def texts(count=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [Encoded(tuple(torch.randint(3, 99, (12,), generator=generator).tolist()), answer=6) for _ in range(count)]


def made():
    """A model with dropout: without the generators' states a training that goes on would differ."""
    torch.manual_seed(1)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=99, attention_dropout=0.5, tie_word_embeddings=True, **shape))
    model.model.embed_tokens.weight.requires_grad_(False)
    torch.manual_seed(2)
    return model


def kept(path, every=CheckpointInterval(steps=100), said=None):  # noqa: B008
    return Checkpoint(path, Accelerator(cpu=True), every, lambda: 7, (said if said is not None else []).append)


def trained(model, state, watches=(), course=None):
    steps = course or [texts(seed=number % 2) for number in range(STEPS)]  # the second epoch reads the same again
    return loop.train(model, steps, VALUES, Accelerator(cpu=True), loop.Padding(0), state, watches)


def same(model, other):
    pairs = zip(model.state_dict().items(), other.state_dict().items(), strict=True)
    return all(name == of and torch.equal(tensor, tensor_of) for (name, tensor), (of, tensor_of) in pairs)


@pytest.fixture
def whole():
    model = made()
    return model, trained(model, TrainingState())


@pytest.fixture(autouse=True)
def nothing_asked(monkeypatch):
    monkeypatch.setattr(stopping, "stop_signal", lambda: "")


def stop_at(number, monkeypatch):
    """A watch after whose step the process has been asked to stop."""

    def watch(model, state):
        monkeypatch.setattr(stopping, "stop_signal", lambda: "SIGTERM" if len(state.losses) == number else "")
        return False

    return watch


@pytest.mark.parametrize("number", range(1, STEPS))
def test_it_goes_on_from_any_step_bit_for_bit(tmp_path, monkeypatch, whole, number):
    path = tmp_path / "training.safetensors"
    with pytest.raises(stopping.Stopped, match=f"stopped by SIGTERM after step {number} of {STEPS}"):
        trained(made(), TrainingState(keeper=kept(path)), [stop_at(number, monkeypatch)])
    monkeypatch.setattr(stopping, "stop_signal", lambda: "")
    model = made()
    state = kept(path).resume(model)
    assert (state.step, state.resumed, state.peak_bytes) == (number, [number], 7)
    torch.manual_seed(99)  # whatever else is drawn before it goes on
    again = trained(model, state)
    assert again.losses == whole[1].losses and len(set(again.losses)) == STEPS
    assert same(model, whole[0])


def test_it_is_the_same_when_it_is_stopped_again_and_again(tmp_path, monkeypatch, whole):
    """Also in the second epoch, and twice within it. Accelerate's loaders went on in another order there (#2016, #2823), since
    the one that skips what was read counted its epochs from 0 (#4071)."""
    path, state, model = tmp_path / "training.safetensors", None, None
    for number in range(1, STEPS):
        model = made()
        state = kept(path).resume(model) or TrainingState(keeper=kept(path))
        with pytest.raises(stopping.Stopped):
            trained(model, state, [stop_at(number, monkeypatch)])
        monkeypatch.setattr(stopping, "stop_signal", lambda: "")
    model = made()
    again = trained(model, kept(path).resume(model))
    assert again.losses == whole[1].losses and again.resumed == list(range(1, STEPS)) and same(model, whole[0])


@pytest.mark.parametrize("lost", ["moment.", "rng.", "weight."])
def test_without_any_part_of_it_it_would_be_another(tmp_path, monkeypatch, whole, lost):
    """The fault that the test above must see: each part of the file counts."""
    path = tmp_path / "training.safetensors"
    with pytest.raises(stopping.Stopped):
        trained(made(), TrainingState(keeper=kept(path)), [stop_at(3, monkeypatch)])
    monkeypatch.setattr(stopping, "stop_signal", lambda: "")
    read = checkpoint._each_tensor
    monkeypatch.setattr(checkpoint, "_each_tensor", lambda path, prefix: [] if prefix.startswith(lost) else read(path, prefix))
    model = made()
    state = kept(path).resume(model)
    torch.manual_seed(99)
    assert trained(model, state).losses[3:] != whole[1].losses[3:]


def test_to_go_on_takes_no_more_memory_than_the_moments_that_it_goes_on_with(tmp_path):
    """Of a whole run a resumed one's peak would be another: weights and moments were held twice while they were put back."""
    model = torch.nn.Sequential(*(torch.nn.Linear(1024, 1024) for _ in range(12)))
    adam = torch.optim.AdamW(model.parameters(), foreach=False)
    for weight in model.parameters():
        adam.state[weight] = {"exp_avg": torch.ones_like(weight), "exp_avg_sq": torch.ones_like(weight)}
    moments = sum(moment.nbytes for state in adam.state.values() for moment in state.values())
    kept(tmp_path / "t").write(model, TrainingState(), adam)
    adam.state.clear()
    peak = PeakMemory(False)
    kept(tmp_path / "t").resume(model).keeper.begin(model, adam)
    assert sum(moment.nbytes for state in adam.state.values() for moment in state.values()) == moments
    assert moments / 2 < peak.bytes() < 1.25 * moments


@pytest.mark.parametrize("main", [True, False])
def test_of_several_processes_the_one_that_writes_holds_all_of_it(tmp_path, monkeypatch, main):
    """All put together what is shared out; eight that kept weights and moments would hold them eight times on one machine."""
    copies, held, model = [], [], made()
    adam = torch.optim.AdamW(model.parameters())
    model(input_ids=torch.tensor([[5, 6]]), labels=torch.tensor([[5, 6]])).loss.backward()
    adam.step()

    def put_together(tensor):
        copy = tensor.detach().clone()
        copies.append(weakref.ref(copy))
        return copy

    def gathered(states):
        held.append(sum(copy() is not None for copy in copies))
        return states

    monkeypatch.setattr(checkpoint, "full_tensor", put_together)
    monkeypatch.setattr(checkpoint, "gather_object", gathered)
    own = kept(tmp_path / "t")
    own._accelerator = SimpleNamespace(is_main_process=main, distributed_type=DistributedType.MULTI_CPU)
    own.write(model, TrainingState(), adam)
    weights = sum(weight.requires_grad for weight in model.parameters())
    assert len(copies) >= 4 * weights and (tmp_path / "t").exists() == main
    assert held == [len(copies)] if main else held[0] <= 1


def test_it_is_written_every_so_many_steps_and_costs_nothing_of_the_result(tmp_path, monkeypatch, whole):
    path, seen = tmp_path / "training.safetensors", []
    write = Checkpoint.write
    monkeypatch.setattr(Checkpoint, "write", lambda self, *given: seen.append(given[1].step) or write(self, *given))
    model = made()
    state = trained(model, TrainingState(keeper=kept(path, CheckpointInterval(steps=2))))
    assert seen == [2, 4]  # not after the last step, after which the stage's end is kept
    assert state.losses == whole[1].losses and same(model, whole[0])
    assert [each.name for each in tmp_path.iterdir()] == ["training.safetensors"]
    state.end_stage(24)
    state.keeper.ended(model, state)
    with safe_open(path, framework="pt") as file:
        names = list(file.keys())
    assert not any(name.startswith("moment.") for name in names)  # the next stage has an optimiser of its own
    assert {name for name in names if name.startswith("weight.")} >= {
        f"weight.{name}" for name, weight in model.named_parameters() if weight.requires_grad
    }
    assert not any("embed_tokens" in name for name in names)  # what is not trained is the base's


def test_what_was_over_is_not_trained_again(tmp_path, whole):
    model, state = whole
    state.end_stage(24, "examples")
    state.keeper = kept(tmp_path / "t")
    state.keeper.ended(model, state)
    after = torch.rand(1)
    fresh = made()
    again = kept(tmp_path / "t").resume(fresh)
    assert (again.stage, again.losses, again.ended_by) == (1, state.losses, "examples") and same(fresh, model)
    again.keeper.set_random()
    assert torch.equal(torch.rand(1), after)


def test_early_stopping_goes_on_with_its_best_weights(tmp_path, monkeypatch):
    scores = [0.1, 0.9, 0.2, 0.3, 0.4, 0.5]

    def stopping_early():
        return EarlyStopping(lambda model: 0.0, patience=9, every=1)

    def watch(model, state):
        early = stopping_early()
        early.score = lambda model: scores[state.step - 1]
        return early(model, state)

    uninterrupted = made()
    state = trained(uninterrupted, TrainingState(), [watch])
    restore(uninterrupted, state.best)
    with pytest.raises(stopping.Stopped):
        trained(made(), TrainingState(keeper=kept(tmp_path / "t")), [watch, stop_at(4, monkeypatch)])
    monkeypatch.setattr(stopping, "stop_signal", lambda: "")
    model = made()
    again = trained(model, kept(tmp_path / "t").resume(model), [watch])
    restore(model, again.best)
    assert again.best.scores == scores and same(model, uninterrupted)


class Counted(Draw):
    """One text after another; a step of the later half holds two of them."""

    def __init__(self):
        self.number = 0

    @property
    def share(self):
        return 0.0

    def draw(self, progress):
        self.number += 1
        return [[text] for text in texts(2 if progress > 0.5 else 1, seed=self.number)]


def test_where_the_clock_ends_it_the_seconds_so_far_count(tmp_path, monkeypatch):
    """The same clock for both: 1 s a step of a budget of 8 s, and what is drawn hangs on how far it is."""

    def ticking(model, state):
        state.seconds = state.earlier_seconds + state.step * 1.0
        return False

    def timed(state, *watches):
        model = made()
        if state is None:
            state = kept(tmp_path / "t").resume(model)
        now = lambda _: state.step * 1.0  # noqa: E731 (the loop's own clock is no part of the test)
        course = Timed(Counted(), 8.0, now)
        return course, trained(model, state, [ticking, *watches], course)

    course, whole = timed(TrainingState())
    with pytest.raises(stopping.Stopped, match="after step 5"):
        timed(TrainingState(keeper=kept(tmp_path / "t")), stop_at(5, monkeypatch))
    monkeypatch.setattr(stopping, "stop_signal", lambda: "")
    resumed, again = timed(None)
    assert len(whole.losses) == 8 and again.losses == whole.losses
    assert (resumed.examples, resumed.ended_by, again.seconds) == (course.examples, "seconds", whole.seconds)
    assert again.tokens == whole.tokens > 12 * 8


@pytest.mark.parametrize("content", [b"", b"no tensors", b"\x08\0\0\0\0\0\0\0{}      ", None])
def test_a_file_that_does_not_fit_is_told_and_left_alone(tmp_path, content):
    path, said, model = tmp_path / "training.safetensors", [], made()
    if content is None:  # of another model
        other = made()
        other.lm_head = torch.nn.Linear(32, 98, bias=False)
        kept(path).write(other, TrainingState())
    else:
        path.write_bytes(content)
    assert kept(path, said=said).resume(model) is None
    assert len(said) == 1 and "is no checkpoint of this training" in said[0] and "starts anew" in said[0]
    assert same(model, made())


def test_one_process_that_finds_no_file_has_all_of_them_start_from_the_base(tmp_path, monkeypatch):
    """The others have read theirs by then, and none may go on from it."""
    path, said, model = tmp_path / "training.safetensors", [], made()
    trained_before = made()
    trained(trained_before, TrainingState())
    kept(path).write(trained_before, TrainingState(step=STEPS))
    told = f"{path} is not there for every process; the training starts anew"
    monkeypatch.setattr(checkpoint, "gather_object", lambda faults: [*faults, told])
    assert kept(path, said=said).resume(model) is None and said == [told]
    assert same(model, made())


def test_nothing_is_said_where_there_is_none(tmp_path):
    said = []
    assert kept(tmp_path / "training.safetensors", said=said).resume(made()) is None and said == []


def test_a_full_disk_ends_no_training_and_leaves_nothing_half_written(tmp_path, whole):
    path, said = tmp_path / "training.safetensors", []
    with disks.full(10_000):
        state = trained(made(), TrainingState(keeper=kept(path, CheckpointInterval(steps=2), said)))
    assert state.losses == whole[1].losses
    assert len(said) == 2 and all("no checkpoint was written" in each for each in said)
    assert list(tmp_path.iterdir()) == []


def test_how_often_one_is_written_hangs_on_how_long_it_takes(tmp_path, monkeypatch):
    """By the size of what is trained at first, on a disk of half a gigabyte a second; then as it was measured."""
    now = [1000.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    keeper, model = kept(tmp_path / "training.safetensors", CheckpointInterval()), made()
    adam, state, written = torch.optim.AdamW(model.parameters()), TrainingState(step=1), []
    monkeypatch.setattr(checkpoint, "DISK", sum(tensor.nbytes for _, tensor in checkpoint._trained_tensors(model)))  # 3 s

    def save(*_, **__):
        written.append(now[0])
        now[0] += 2.0

    monkeypatch.setattr(checkpoint, "save_file", save)
    keeper.begin(model, adam)
    for _ in range(800):
        now[0] += 1.0
        keeper.stepped(model, adam, state)
    assert written == [1300.0, 1502.0, 1704.0], "after 300 s, and then 200 s after the end of each, which take 2 s"


def test_a_folder_that_has_become_read_only_ends_no_training(tmp_path, monkeypatch):
    def readonly(old, new):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    said = []
    monkeypatch.setattr(os, "replace", readonly)
    kept(tmp_path / "t", said=said).write(made(), TrainingState())
    assert "Read-only file system" in said[0] and list(tmp_path.iterdir()) == []

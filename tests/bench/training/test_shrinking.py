"""Memory that runs out halves the micro-batches, and the training goes on from the step that it ran out in."""

from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator, DistributedType
from transformers import LlamaConfig, LlamaForCausalLM

from bench.errors import BrokenOffError
from bench.specs.checkpoint_every import CheckpointInterval
from bench.strategies.base import Hyperparameters
from bench.tokens.encoded import Encoded
from bench.training import loop
from bench.training.checkpoint import Checkpoint
from bench.training.shrinking import SMALLEST, as_memory_allows
from bench.training.state import TrainingState

ALONE = SimpleNamespace(distributed_type=DistributedType.NO)


def texts(count=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [Encoded(tuple(torch.randint(3, 99, (12,), generator=generator).tolist()), answer=6) for _ in range(count)]


def made():
    torch.manual_seed(1)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    return LlamaForCausalLM(LlamaConfig(vocab_size=99, **shape))


def trained(model, state=None):
    values = Hyperparameters(learning_rate=1e-3)
    return loop.train(model, [texts(seed=n) for n in range(4)], values, Accelerator(cpu=True), loop.Padding(0, 96), state)


@pytest.fixture
def small(monkeypatch):
    """A machine that holds so many padded tokens, and which micro-batches it was given."""
    given, own = [], loop.loss_sum

    def of(room, first=0):
        def loss(model, batch, smoothing):
            given.append(batch.input_ids.numel())
            if len(given) > first and batch.input_ids.numel() > room:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return own(model, batch, smoothing)

        monkeypatch.setattr(loop, "loss_sum", loss)
        return given

    return of


def test_it_goes_on_from_the_step_it_failed_in(small, tmp_path):
    whole, model, said = made(), made(), []
    expected = trained(whole)
    checkpoint = Checkpoint(tmp_path / "t", Accelerator(cpu=True), CheckpointInterval(steps=9), lambda: 0, said.append)
    given = small(40, first=2)  # two steps fit, as something else leaves them more room
    state = trained(model, TrainingState(keeper=checkpoint))
    assert given[:5] == [88, 88, 88, 44, 22] and max(given[4:]) <= 40
    assert state.micro_tokens == 24 and state.step == 4
    assert state.losses == pytest.approx(expected.losses, rel=1e-6)
    for weight, other in zip(model.parameters(), whole.parameters(), strict=True):
        assert torch.allclose(weight, other, atol=1e-6)
    assert said == [f"memory ran out: from here micro-batches hold {tokens} tokens" for tokens in (48, 24)]
    assert checkpoint.room() == 24


def test_what_no_smaller_batch_can_mend_is_raised(small):
    small(5)
    state = TrainingState()
    with pytest.raises(torch.OutOfMemoryError):
        trained(made(), state)
    assert state.micro_tokens >= SMALLEST and state.step == 0


def test_any_other_error_is_raised_at_once():
    state = TrainingState()
    with pytest.raises(ValueError, match="wrong"):
        as_memory_allows(made(), state, ALONE, 96, lambda tokens: (_ for _ in ()).throw(ValueError("wrong")))
    assert state.micro_tokens is None


@pytest.mark.parametrize("kind", [DistributedType.MULTI_GPU, DistributedType.MULTI_CPU, DistributedType.FSDP])
def test_under_a_launcher_it_ends_and_goes_on_in_smaller_ones(tmp_path, kind):
    """Others wait within the step, and even of a single process DDP and DeepSpeed hold a part of it: it can't be taken back."""

    def full(tokens):
        raise torch.OutOfMemoryError("CUDA out of memory")

    checkpoint = Checkpoint(tmp_path / "t", Accelerator(cpu=True), CheckpointInterval(steps=9), lambda: 0, lambda _: None)
    state = TrainingState(step=6, keeper=checkpoint)
    with pytest.raises(BrokenOffError, match="memory ran out in step 7 with micro-batches of 96 tokens; the same .* with 48"):
        as_memory_allows(made(), state, SimpleNamespace(distributed_type=kind), 96, full)
    again = Checkpoint(tmp_path / "t", Accelerator(cpu=True), CheckpointInterval(steps=9), lambda: 0, lambda _: None)
    assert again.room() == 48
    assert as_memory_allows(made(), TrainingState(micro_tokens=again.room()), ALONE, 96, lambda tokens: tokens) == 48

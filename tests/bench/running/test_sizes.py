"""Planned from the shape alone, against models that are really loaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.distributed._tools.fsdp2_mem_tracker import FSDPMemTracker
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.testing._internal.distributed.fake_pg import FakeStore
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, LlamaConfig, OPTConfig, PretrainedConfig

from bench import strategies
from bench.modeling import models
from bench.running import sizes

SHAPES = {
    # SmolLM2-135M with 4 of its 30 layers and a quarter of its vocabulary
    "llama": LlamaConfig(
        vocab_size=12288,
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=4,
        num_attention_heads=9,
        num_key_value_heads=3,
        tie_word_embeddings=True,
    ),
    "opt": OPTConfig(
        vocab_size=2000, hidden_size=256, word_embed_proj_dim=256, ffn_dim=1024, num_hidden_layers=4, num_attention_heads=4
    ),
}


@pytest.fixture(scope="module", params=[*SHAPES, "decoder"])
def shaped(request, tmp_path_factory):
    """A model folder without a tokenizer."""
    if request.param == "decoder":
        return request.getfixturevalue("decoder")
    return saved(SHAPES[request.param], tmp_path_factory.mktemp(request.param))


def scales(model: nn.Module) -> int:
    """Bytes that bitsandbytes keeps beside the parameters."""
    found = 0
    for parameter in model.parameters():
        if (rows := getattr(parameter, "SCB", None)) is not None:
            found += rows.numel() * rows.element_size()
        if (state := getattr(parameter, "quant_state", None)) is not None:
            found += state.absmax.numel() * state.absmax.element_size()
    return found


def planned(model, library, auto=AutoModelForCausalLM, tokens=1024, name="lora-8bit", **settings):
    strategy = strategies.load_strategy(library.strategy(name), model.family, settings)
    head = {} if model.family == "decoder" else {"num_labels": 3}
    return strategy, sizes.memory(model.shape(auto, **head), strategy, model.family, tokens)[1]


@pytest.mark.parametrize("bits", [32, 8, 4])
def test_planned_weights_are_those_of_the_loaded_model(shaped, library, bits):
    strategy, memory = planned(shaped, library, bits=bits)
    loaded = strategy.adapt(shaped.load(bits=bits), "decoder")
    assert memory.weights == pytest.approx(loaded.get_memory_footprint() + scales(loaded), rel=0.001)
    assert sizes.held_bytes(loaded) == loaded.get_memory_footprint() + scales(loaded)
    if bits > 4:  # 4-bit scales are an eighth of the packed weights
        assert memory.weights == pytest.approx(loaded.get_memory_footprint(), rel=0.02)
    assert (memory.trainable, memory.parameters) == sizes.parameters(loaded)


def test_scales_count_after_a_forward_pass_too(decoder):
    """bitsandbytes moves those of 8 bit then; a record's bytes are counted after the training."""
    loaded = decoder.load(bits=8)
    before = sizes.held_bytes(loaded)
    assert before == loaded.get_memory_footprint() + scales(loaded)
    with torch.no_grad():
        loaded(input_ids=torch.tensor([[5, 6, 7]]))
    assert scales(loaded) == 0 and sizes.held_bytes(loaded) == before


@pytest.mark.parametrize("bits", [32, 8, 4])
def test_an_encoders_plan_holds_its_head(encoder, library, bits):
    auto = AutoModelForSequenceClassification
    strategy, memory = planned(encoder, library, auto, bits=bits)
    loaded = strategy.adapt(encoder.load(auto, bits, num_labels=3), "encoder")
    assert memory.weights == pytest.approx(loaded.get_memory_footprint() + scales(loaded), rel=0.001)
    assert (memory.trainable, memory.parameters) == sizes.parameters(loaded)


def test_packed_weights_count_at_their_full_number(decoder):
    counts = {sizes.parameters(decoder.load(bits=bits))[1] for bits in (32, 8, 4)}
    assert counts == {sum(parameter.numel() for parameter in decoder.load().parameters())}


def saved(config: PretrainedConfig, folder: Path) -> models.Model:
    """A decoder of this shape, with random weights, as it is loaded from a folder."""
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return models.Model("saved", folder, "")


def kept(model: nn.Module, tokens: int) -> int:
    """Bytes that autograd keeps in a forward pass, weights left out: what the formula stands for."""
    weights = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    found: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            found[storage._cdata] = storage
        return tensor

    ids = torch.ones(4, tokens // 4, dtype=torch.long)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = model(input_ids=ids, logits_to_keep=1, use_cache=False)
    assert out.logits.requires_grad
    return sum(storage.nbytes() for storage in found.values())


@pytest.mark.parametrize("name", ["full", "frozen", "lora-8bit"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_activations_formula_is_near_what_autograd_keeps(shape, name, tmp_path, library):
    model = saved(SHAPES[shape], tmp_path)
    settings = {"bits": 32} if name == "lora-8bit" else {}
    strategy, memory = planned(model, library, tokens=512, name=name, **settings)
    logits = 3 * 4 * 512 * SHAPES[shape].vocab_size
    real = kept(strategy.adapt(model.load(), "decoder").train(), 512)
    assert memory.activations - logits == pytest.approx(real, rel=0.35)


@pytest.mark.parametrize("bits", [32, 8, 4])
def test_gradient_checkpointing_keeps_less(decoder, library, bits):
    _, plain = planned(decoder, library, bits=bits)
    _, less = planned(decoder, library, bits=bits, gradient_checkpointing=True)
    logits = 3 * 4 * 1024 * decoder.config.vocab_size
    assert less.activations - logits < 0.6 * (plain.activations - logits)
    assert less.weights == plain.weights and less.gradients == plain.gradients


def test_what_trains_has_gradients_and_two_moments(decoder, library):
    _, full = planned(decoder, library, name="full")
    assert full.trainable == full.parameters == sizes.parameters(decoder.load())[1]
    assert (full.gradients, full.optimizer) == (4 * full.trainable, 8 * full.trainable)
    assert full.total == full.weights + full.gradients + full.optimizer + full.activations
    _, nothing = planned(decoder, library, name="zero-shot")
    assert (nothing.trainable, nothing.total) == (0, nothing.weights)


def test_a_base_in_bf16_is_planned_as_it_is_loaded(decoder, library):
    strategy = strategies.load_strategy(library.strategy("zero-shot"), "decoder", {})
    _, memory = sizes.memory(decoder.shape(AutoModelForCausalLM), strategy, "decoder", 1024, asked_bits=16)
    assert memory.total == pytest.approx(decoder.load(bits=16).get_memory_footprint(), rel=0.001)


def test_opt_6_7b_has_its_published_size(library):
    """PEFT's int8 notebook prints: trainable params: 8388608 || all params: 6666862592."""
    suite = library.suite("opt-6.7b")
    model = models.find_model("opt-6.7b", library)
    strategy = strategies.load_strategy(library.strategy("lora-8bit"), "decoder", {}, suite.hyperparameters["lora-8bit"])
    _, memory = sizes.memory(model.shape(AutoModelForCausalLM), strategy, "decoder", 1024)
    assert memory.trainable == 8_388_608
    assert memory.parameters == 6_666_862_592
    assert 2 * memory.parameters == pytest.approx(13.3e9, rel=0.01)
    assert memory.weights == pytest.approx(7.3e9, rel=0.01)


SMALL = LlamaConfig(
    vocab_size=32, hidden_size=8, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, tie_word_embeddings=True
)


def test_what_fsdp2_holds_is_worked_out_by_hand(tmp_path, library):
    """A block has 4 matrices of 8 x 8, 3 of 8 x 16 and 2 norms of 8: 656 numbers. The outermost unit has 32 x 8 of the tied
    embedding and a norm of 8: 264."""
    model = saved(SMALL, tmp_path)
    _, full = planned(model, library, name="full", tokens=64)
    assert full.parameters == 2 * 656 + 264
    # Weights and gradients of the outermost unit, and of two blocks, 4 bytes a number.
    assert full.gathered == 2 * 4 * 264 + 2 * 2 * 4 * 656
    # 2 bytes for each number of the blocks' matrices, and of the embedding, which is the head.
    assert full.copies == 2 * (2 * (656 - 16) + 32 * 8)
    parts = (16 * full.parameters + 16) // 4  # with the 4 frequencies of positions
    assert full.shared(4, bf16=False) == parts + full.gathered + full.activations
    assert full.shared(4, bf16=True) == full.shared(4, bf16=False) + full.copies
    _, upper = planned(model, library, name="frozen", tokens=64, frozen=1)
    # The frozen block has no gradients, and no copies that are kept; the block above it has both.
    assert upper.copies == 2 * (656 - 16 + 32 * 8) and upper.gathered == 4 * 264 + 4 * 8 + 2 * 2 * 4 * 656
    _, asked = planned(model, library, name="zero-shot", tokens=64)
    assert (asked.gathered, asked.copies) == (4 * 264 + 2 * 4 * 656, 0)


@contextmanager
def uncached_autocast() -> Iterator[None]:
    """As modeling/sharding.py has it where weights are shared out."""
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(True)


def copied(model: nn.Module, tokens: int) -> int:
    """Bytes of the bf16 matrices that autograd keeps in a forward pass; no states are of a weight's shape."""
    shapes = {tuple(weight.shape)[::turn] for weight in model.parameters() if weight.ndim == 2 for turn in (1, -1)}
    found: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.dtype == torch.bfloat16 and tuple(tensor.shape) in shapes:
            found[tensor.untyped_storage()._cdata] = tensor.untyped_storage()
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    with uncached_autocast(), hooks, torch.autocast("cpu", torch.bfloat16):
        out = model(input_ids=torch.ones(1, tokens, dtype=torch.long), use_cache=False)
    assert out.logits.requires_grad
    return sum(storage.nbytes() for storage in found.values())


@pytest.mark.parametrize("name", ["full", "frozen", "lora-8bit"])
def test_the_copies_of_bf16_are_those_that_autograd_keeps(name, tmp_path, library):
    model = saved(SHAPES["opt"], tmp_path)
    strategy, memory = planned(model, library, name=name, **({"bits": 32} if name == "lora-8bit" else {}))
    real = copied(strategy.adapt(model.load(), "decoder").train(), 11)
    # What lies below the first trained weight of the lowest block that gradients pass needs none.
    assert real <= memory.copies <= 1.1 * real


@pytest.fixture
def mesh():
    """Four processes of which one is there: collectives give at once, and nothing but memory is looked at."""
    torch.distributed.init_process_group("fake", store=FakeStore(), rank=0, world_size=4)
    yield init_device_mesh("cpu", (4,))
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("bf16", [False, True])
def test_the_plan_holds_what_torch_counts_under_fsdp2(mesh, bf16, tmp_path, library):
    shape = LlamaConfig(
        vocab_size=64,
        hidden_size=64,
        intermediate_size=256,
        num_hidden_layers=12,
        num_attention_heads=4,
        tie_word_embeddings=True,
    )
    folder = saved(shape, tmp_path)
    strategy, memory = planned(folder, library, name="full", tokens=4)
    model = strategy.adapt(folder.load(), "decoder")
    for block in model.model.layers:
        fully_shard(block, mesh=mesh, reshard_after_forward=True)
    fully_shard(model, mesh=mesh)
    model.set_reshard_after_forward(True)
    adam = torch.optim.AdamW(model.parameters())
    with uncached_autocast(), (tracker := FSDPMemTracker(model, adam)), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        for last in (False, True) * 2:  # two steps of two micro-batches each: gradients are there while others are made
            model(input_ids=torch.zeros(1, 4, dtype=torch.long), use_cache=False).logits.float().sum().backward()
            tracker.reset_mod_stats()
            if last:
                adam.step()
                adam.zero_grad()
    counted = tracker.get_tracker_snapshot("peak")[torch.device("cpu")]["Total"]
    assert counted <= memory.shared(4, bf16) <= 1.2 * counted

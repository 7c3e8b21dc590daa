"""A model that replays its fixed layers against the same model that goes through them; and planted faults."""

import copy
import math
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
import torch
import transformers
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch.utils.flop_counter import FlopCounterMode

from bench import strategies
from bench.inference.local import LocalBackend
from bench.modeling.flops import count_flops
from bench.modeling.forward import backbone, head_logits, loss_sum
from bench.modeling.heads import Heads
from bench.modeling.replay import fixed_blocks
from bench.modeling.replay.activations import Activations
from bench.modeling.replay.fixed_blocks import replay_fixed_blocks
from bench.modeling.spared_work import SPARED
from bench.modeling.structure import layers, lowest_trained
from bench.strategies.base import Hyperparameters
from bench.tokens.encoded import Encoded, collate
from bench.tokens.token_counts import TokenCounts, padded_counts
from bench.training import loop
from bench.training.loop import Padding

CPU = torch.device("cpu")
HYPERPARAMETERS = Hyperparameters(learning_rate=1e-3)
LAST = {"bits": 32, "peft": {"peft_type": "LORA", "layers_to_transform": [1], "target_modules": ["query", "value"]}}
LAST_OF_FOUR = {"bits": 32, "peft": {"peft_type": "LORA", "layers_to_transform": [3], "target_modules": ["q_proj", "v_proj"]}}


@pytest.fixture(autouse=True)
def store(monkeypatch):
    """Of this test alone."""
    kept = Activations(2**24)
    monkeypatch.setattr(fixed_blocks, "kept_states", lambda: kept)
    yield kept
    kept.clear()


def texts(family, count=12, seed=0):
    """Of 3 to 14 tokens, an encoder's with a class."""
    draw = torch.Generator().manual_seed(seed)
    made = []
    for number in range(count):
        ids = tuple(torch.randint(5, 900, (3 + int(torch.randint(12, (1,), generator=draw)),), generator=draw).tolist())
        made.append(
            Encoded(ids, answer=1) if family == "decoder" else Encoded(ids, labels=(number % 2,), types=(0,) * len(ids))
        )
    return made


def made(model, library, name="frozen", settings=None, replaying=True):
    """An adapted model, the same each time."""
    settings = {"frozen": 1} if settings is None else settings
    strategy = strategies.load_strategy(library.strategy(name), model.family, settings)
    torch.manual_seed(0)
    kind = transformers.AutoModelForCausalLM if model.family == "decoder" else transformers.AutoModelForSequenceClassification
    adapted = strategy.adapt(model.load(kind, **({} if model.family == "decoder" else {"num_labels": 2})), model.family)
    if replaying:
        assert replay_fixed_blocks(adapted, model.family, model.content_hash)
    return adapted


def trained(model, family, epochs=2):
    """Steps of 4 over the same texts, each epoch in other batches."""
    ours = texts(family)
    steps = [
        [ours[(place * (1 + 4 * epoch)) % 12] for place in range(start, start + 4)]
        for epoch in range(epochs)
        for start in (0, 4, 8)
    ]
    set_seed(0)
    return loop.train(model, steps, HYPERPARAMETERS, Accelerator(cpu=True), Padding(0, 240))


def real(logits, batch):
    """Without what a head says of padding, which nobody reads."""
    return logits[batch.attention_mask.bool()] if logits.shape[1] > 1 else logits


def columns(batches):
    """Tokens, with padding, of the passes in which the texts of batches are computed that each come for the first time."""
    found = 0
    for batch in batches:
        for width, count in Counter(12 * (text.fed // 12 + 1) for text in batch).items():
            rows = math.ceil(96 * torch.get_num_threads() / width)
            found += width * rows * math.ceil(count / rows)
    return found


CASES = [
    ("encoder", "frozen", {"frozen": 1}),
    ("encoder", "frozen", {"frozen": 1.0}),  # the head alone
    ("encoder", "lora-8bit", LAST),
    ("decoder", "frozen", {"frozen": 2}),
    ("decoder", "frozen", {"frozen": 1.0}),
    ("decoder", "lora-8bit", LAST_OF_FOUR),
]


@pytest.mark.parametrize(("family", "name", "settings"), CASES)
def test_losses_are_step_by_step_those_of_the_whole_model(family, name, settings, request, library):
    base = request.getfixturevalue(family)
    plain = trained(made(base, library, name, settings, replaying=False), family)
    first = trained(made(base, library, name, settings), family)
    assert first.losses == pytest.approx(plain.losses, abs=1e-5) and len(set(plain.losses)) == 6
    # In the first epoch the lower layers are gone through, in the second they are not.
    assert plain.spared == TokenCounts() and first.computed == plain.computed and first.useful == plain.useful
    ours = texts(family)
    gone_through = columns([ours[start : start + 4] for start in (0, 4, 8)])
    assert first.spared.tokens == plain.computed.tokens - gone_through and first.others_seconds == 0
    # Whatever ran before: the same states, bit by bit.
    second = trained(made(base, library, name, settings), family)
    assert second.losses == first.losses
    assert second.spared.tokens == plain.computed.tokens and second.seconds > second.others_seconds > 0


def test_several_heads_share_what_lies_below_them(encoder, library, store):
    kinds = (transformers.AutoModelForSequenceClassification, transformers.AutoModelForTokenClassification)
    answers = []
    for replaying in (False, True):
        torch.manual_seed(0)
        model = Heads([encoder.load(kind, num_labels=2) for kind in kinds])
        model = strategies.load_strategy(library.strategy("frozen"), "encoder", {"frozen": 1}).adapt(model, "encoder").eval()
        assert not replaying or replay_fixed_blocks(model, "encoder", encoder.content_hash)
        batches = [collate([replace(text, head=head) for text in texts("encoder")], 0, CPU) for head in (0, 1)]
        with torch.no_grad():
            answers.append([real(head_logits(model, batch), batch) for batch in batches])
    for plain, replayed in zip(*answers, strict=True):
        assert torch.allclose(plain, replayed, atol=1e-5)
    assert store.bytes_kept == 4 * 128 * sum(len(text.ids) for text in texts("encoder"))


@pytest.mark.parametrize("family", ["encoder", "decoder"])
def test_answers_are_those_of_the_whole_model(family, request, library):
    base = request.getfixturevalue(family)
    asked = texts(family, 9, seed=1)
    found = []
    for replaying in (False, True, True):
        backend = LocalBackend(made(base, library, replaying=replaying).eval(), base, tokens=40)
        before = SPARED.work
        numbers = backend.losses(asked) if family == "decoder" else torch.stack(backend.head_logits(asked)).flatten().tolist()
        vectors = backend.embeddings(asked) if family == "encoder" else torch.zeros(1)
        found.append((numbers, vectors, SPARED.work.tokens - before.tokens))
    (plain, vectors, none), (first, near, _), (second, again, spared) = found
    assert none == 0 < spared
    assert first == pytest.approx(plain, abs=1e-4) and second == first
    assert torch.allclose(vectors, near, atol=1e-5) and torch.equal(near, again)


def test_a_text_has_one_state_whatever_lies_beside_it(decoder, library, store):
    """Planted fault: states of other padding. The same texts, alone and in batches of any width, leave the very same."""
    ours, kept = texts("decoder"), []
    for batches in ([[text] for text in ours], [ours], [ours[::2], ours[1::2]]):
        model = made(decoder, library).eval()
        with torch.no_grad():
            for batch in batches:
                loss_sum(model, collate(batch, 0, CPU))
        (shelf,) = store._shelves.values()
        kept.append({name: shelf.read(name).values for name in shelf._places})
        store.clear()
    for name, values in kept[0].items():
        assert all(torch.equal(values, other[name]) for other in kept[1:])
    assert kept[0].keys() == kept[1].keys() == kept[2].keys() and len(kept[0]) == 12


@pytest.mark.parametrize("instructions", ["SSE4_2", "AVX2"])
def test_it_has_so_with_the_products_of_other_processors(instructions):
    """MKL takes their code on any Intel CPU, if asked before it is loaded. Planted fault: texts beside all of their length."""
    test = f"{__file__}::{test_a_text_has_one_state_whatever_lies_beside_it.__name__}"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    subprocess.run(command, env={**os.environ, "MKL_ENABLE_INSTRUCTIONS": instructions}, check=True, capture_output=True)


def asked_of(model, family, autocast=False):
    batch = collate(texts(family), 0, CPU)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        return float(loss_sum(model.eval(), batch))


def changed_in_place(model):
    with torch.no_grad():
        layers(model)[0].mlp.up_proj.weight.mul_(-1)


def changed_behind_autograd(model):
    weight = layers(model)[0].mlp.up_proj.weight
    weight.data = -weight.data


def changed_embedding(model):
    with torch.no_grad():
        backbone(model).embed_tokens.weight[[7, 8]] = backbone(model).embed_tokens.weight[[8, 7]]


@pytest.mark.parametrize("change", [changed_in_place, changed_behind_autograd, changed_embedding])
@pytest.mark.parametrize("when", ["before it was made", "while it is used"])
def test_states_of_another_model_are_not_taken(change, when, decoder, library, store):
    asked_of(made(decoder, library), "decoder")
    plain = made(decoder, library, replaying=False)
    change(plain)
    if when == "while it is used":
        other = made(decoder, library)
        asked_of(other, "decoder")
        change(other)
    else:
        other = copy.deepcopy(plain)
        assert replay_fixed_blocks(other, "decoder", decoder.content_hash)
    assert asked_of(other, "decoder") == pytest.approx(asked_of(plain, "decoder"), rel=1e-5)
    assert len(store._shelves) == 2


def test_states_of_another_base_depth_or_precision_are_not_taken(decoder, library, store):
    asked_of(made(decoder, library), "decoder")
    deeper = asked_of(made(decoder, library, settings={"frozen": 2}), "decoder")
    assert len(store._shelves) == 2
    assert deeper == pytest.approx(
        asked_of(made(decoder, library, settings={"frozen": 2}, replaying=False), "decoder"), rel=1e-5
    )
    rounded = asked_of(made(decoder, library), "decoder", autocast=True)
    plain = asked_of(made(decoder, library, replaying=False), "decoder", autocast=True)
    assert len(store._shelves) == 3
    assert rounded == pytest.approx(plain, rel=1e-2) and rounded != asked_of(made(decoder, library), "decoder")
    other = made(decoder, library, replaying=False)
    assert replay_fixed_blocks(other, "decoder", "another base")
    asked_of(other, "decoder")
    assert len(store._shelves) == 4


@pytest.mark.parametrize("fault", ["depth", "cast", "weights", "base"])
def test_a_key_without_it_would_be_noticed(fault, decoder, library, monkeypatch, store):
    """Planted faults: each part of the key left out, and a model reads another's states."""
    monkeypatch.setattr(
        fixed_blocks,
        "digest",
        lambda value: str({k: v for k, v in value.items() if k != fault}) if isinstance(value, dict) else str(value),
    )
    asked_of(made(decoder, library), "decoder")
    if fault == "depth":
        monkeypatch.setattr(fixed_blocks, "fixed", lambda model: [])  # else the weights, which are more, would tell
        monkeypatch.setattr(fixed_blocks, "checksum", lambda weight: 0)
        store.clear()
        asked_of(made(decoder, library), "decoder")
        now = made(decoder, library, settings={"frozen": 2})
    else:
        now = made(decoder, library)
    if fault == "weights":
        changed_in_place(now)
    asked_of(now, "decoder", autocast=fault == "cast")
    assert len(store._shelves) == (2 if fault == "depth" else 1)


def test_what_another_run_has_computed_is_charged_once(decoder, library):
    def spent(model):
        before = SPARED.seconds
        asked_of(model, "decoder")
        return SPARED.seconds - before

    first = made(decoder, library)
    assert spent(first) == spent(first) == 0  # its own work, and its own work again
    second = made(decoder, library)
    charged = spent(second)
    assert charged > 0 == spent(second)
    assert spent(made(decoder, library)) == pytest.approx(charged)  # the next one as well


def test_operations_that_were_spared_are_those_that_torch_does_not_count(decoder, library):
    batch = [replace(text, ids=text.ids * 3) for text in texts("decoder")]  # so long that none is repeated
    model = made(decoder, library, settings={"frozen": 2})
    model.set_attn_implementation("eager")
    counts = []
    for _ in range(2):
        before = SPARED.work
        with FlopCounterMode(display=False) as counter:
            loss_sum(model.eval(), collate(batch, 0, CPU)).backward()
        spared = TokenCounts(*(now - then for now, then in zip(SPARED.work.counts, before.counts, strict=True)))
        counts.append((counter.get_total_flops(), spared))
    formula = count_flops(model)
    for truth, spared in counts:
        assert formula.computed(padded_counts(batch)) - formula.spared(spared) == pytest.approx(truth, rel=0.02)
    assert counts[1][0] < 0.9 * counts[0][0]


SMALL = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
}
GPT2 = transformers.GPT2Config(vocab_size=60, n_embd=16, n_layer=4, n_head=2, n_positions=64)
OTHERS = [
    ("encoder", transformers.RobertaForTokenClassification, transformers.RobertaConfig(**SMALL)),
    ("encoder", transformers.ModernBertForSequenceClassification, transformers.ModernBertConfig(**SMALL, pad_token_id=0)),
    ("decoder", transformers.GPT2LMHeadModel, GPT2),
    ("decoder", transformers.GPTNeoXForCausalLM, transformers.GPTNeoXConfig(**SMALL)),
    (
        "decoder",
        transformers.Gemma3ForCausalLM,
        transformers.Gemma3TextConfig(**SMALL, num_key_value_heads=2, head_dim=8, sliding_window=4),
    ),
]


def small(kind, config, depth=2):
    torch.manual_seed(0)
    model = kind(config).eval()
    for module in (
        *(m for n, m in model.named_modules() if n.endswith("embeddings") or isinstance(m, torch.nn.Embedding)),
        *layers(model)[:depth],
    ):
        module.requires_grad_(False)
    return model


@pytest.mark.parametrize(("family", "kind", "config"), OTHERS, ids=lambda value: getattr(value, "model_type", ""))
def test_other_architectures(family, kind, config):
    model = small(kind, config)
    batch = collate([replace(text, ids=tuple(i % 60 for i in text.ids), types=()) for text in texts(family)], 0, CPU)

    def asked():
        with torch.no_grad():
            return loss_sum(model, batch) if family == "decoder" else real(head_logits(model, batch), batch)

    plain = asked()
    assert replay_fixed_blocks(model, family, "small")
    first, before = asked(), SPARED.work
    assert torch.allclose(plain, first, atol=1e-5) and torch.equal(first, asked())
    assert SPARED.work.tokens - before.tokens == batch.input_ids.numel()


class OwnWay(transformers.LlamaModel):
    """Beside what its blocks hand on, its last block reads what its first has made: no replaying holds for it."""

    def __init__(self, config):
        super().__init__(config)
        self.first = None
        self.layers[0].mlp.register_forward_hook(lambda module, args, out: setattr(self, "first", out))
        self.layers[-1].register_forward_hook(lambda module, args, out: out + self.first if self.first is not None else out)

    def forward(self, *args, **kwargs):
        self.first = None
        return super().forward(*args, **kwargs)


def not_replayed(decoder, library):
    """Models that are left as they are, by the reason."""
    yield "every weight trains", made(decoder, library, "full", {}, replaying=False), "decoder"
    yield (
        "virtual tokens",
        made(
            decoder, library, "lora-8bit", {"bits": 32, "peft": {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 2}}, False
        ),
        "decoder",
    )
    trained = made(decoder, library, replaying=False)
    trained.get_input_embeddings().requires_grad_(True)
    yield "a trained embedding", trained, "decoder"
    wished = made(decoder, library, replaying=False)
    wished.enable_input_require_grads()
    yield "gradients are wished for below", wished, "decoder"
    packed = small(transformers.GPT2LMHeadModel, GPT2)
    layers(packed)[0].attn.c_attn.weight = torch.nn.Parameter(torch.zeros(16, 48, dtype=torch.int8), requires_grad=False)
    yield "8 bit", packed, "decoder"
    yield "a way of its own", small(OwnWay, transformers.LlamaConfig(**SMALL)), "decoder"
    bias = transformers.T5Config(vocab_size=60, d_model=16, d_kv=8, d_ff=32, num_layers=4, num_heads=2)
    yield "blocks that hand on more", small(transformers.T5EncoderModel, bias), "encoder"


def test_a_model_for_which_it_does_not_hold_is_left_as_it_is(decoder, library):
    for why, model, family in not_replayed(decoder, library):
        assert not replay_fixed_blocks(model, family, "any"), why
        hooked = any("forward" in vars(block) for block in layers(model))
        assert not backbone(model)._forward_pre_hooks and not hooked, why


@pytest.mark.parametrize("length", [59, 60, 64])  # columns 60, and none that the model has
def test_a_text_that_takes_up_all_positions_is_read_as_before(length):
    """Planted fault: padding to the next multiple of 12 asked for positions that the model does not have."""
    model = small(transformers.GPT2LMHeadModel, GPT2)
    texts = [Encoded(tuple(place % 59 + 1 for place in range(n + 1)), answer=1) for n in (5, length)]  # the last is not read
    batch = collate(texts, 0, CPU)
    with torch.no_grad():
        plain = loss_sum(model, batch)
        assert replay_fixed_blocks(model, "decoder", "any")
        assert loss_sum(model, batch) == pytest.approx(float(plain), abs=1e-5)


def test_a_trial_that_fails_leaves_no_trace():
    """Planted fault: a hook that collects what every later pass gives."""
    model = small(transformers.GPT2LMHeadModel, transformers.GPT2Config(**{**GPT2.to_dict(), "n_positions": 8}))
    assert not replay_fixed_blocks(model, "decoder", "any")
    assert not any(block._forward_hooks for block in layers(model))


def test_quantised_bases_are_left_as_they_are(decoder, library):
    strategy = strategies.load_strategy(library.strategy("lora-8bit"), "decoder", {"peft": LAST_OF_FOUR["peft"]})
    model = strategy.adapt(decoder.load(bits=8), "decoder")
    assert lowest_trained(model, layers(model)) == 3 and not replay_fixed_blocks(model, "decoder", decoder.content_hash)


def test_dropout_below_the_cut_is_drawn_anew_each_time(encoder, library, store):
    """Where somebody has switched it on: the loop does not."""
    model = made(encoder, library).train()
    with torch.no_grad():
        first, second = (float(loss_sum(model, collate(texts("encoder"), 0, CPU))) for _ in range(2))
    assert first != second and store.bytes_kept == 0


def test_a_pass_that_fails_leaves_no_trace(decoder, library, monkeypatch):
    model = made(decoder, library)
    expected = asked_of(model, "decoder")
    top = layers(model)[-1]
    handle = top.register_forward_pre_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        asked_of(model, "decoder")
    handle.remove()
    assert not any("forward" in vars(block) for block in layers(model))
    assert asked_of(model, "decoder") == expected


def test_without_room_everything_is_computed_again(decoder, library, monkeypatch):
    monkeypatch.setattr(fixed_blocks, "kept_states", lambda: Activations(0))
    model, before = made(decoder, library), SPARED.work
    first = asked_of(model, "decoder")
    assert asked_of(model, "decoder") == first
    spared = padded_counts(texts("decoder")).tokens - columns([texts("decoder")])
    assert SPARED.work.tokens - before.tokens == 2 * spared

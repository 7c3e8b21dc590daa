"""A layer and its adapter in one step give what PEFT's own layers give, in fewer passes."""

import copy

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from bench.modeling import eight_bit
from bench.modeling.lora_product import LoraProduct, multiply_in_one_step

COLUMNS, ROWS, RANK, SCALE = 64, 96, 4, 1.5
LORA = {"r": RANK, "lora_alpha": SCALE * RANK, "target_modules": ["layer"]}


class Model(nn.Module):
    def __init__(self, bits, bias):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(COLUMNS, ROWS, bias=bias)
        if bits == 8:
            from bitsandbytes.nn import Linear8bitLt

            eight_bit.hasten()  # as whenever such a model is loaded
            rounded = Linear8bitLt(COLUMNS, ROWS, bias=bias, has_fp16_weights=False, threshold=6.0)
            rounded.load_state_dict(self.layer.state_dict())
            self.layer = rounded.to("cpu")  # which rounds it
            self.is_loaded_in_8bit = True  # by which PEFT knows such a model

    def forward(self, x):
        return self.layer(x)


def texts(generator_seed=1, dtype=torch.float32):
    return torch.randn(5, 6, COLUMNS, generator=torch.Generator().manual_seed(generator_seed)).to(dtype)


def adapted(bits=32, biased=True, fresh=False, **config):
    """PEFT's own, and a copy that multiplies in one step; in training."""
    own = get_peft_model(Model(bits, biased), LoraConfig(**LORA | config))
    if not fresh:
        for name, weight in own.named_parameters():
            if "lora_B" in name:
                nn.init.normal_(weight, std=0.3)
    own.train()
    ours = copy.deepcopy(own)
    multiply_in_one_step(ours)
    return own, ours


def trained(model, precision, dtype=torch.float32):
    """What a model answers, and the gradients of what it read and of all that trains."""
    read = texts(2, dtype).requires_grad_(True)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        answer = model(read)
    wanted = torch.randn(answer.shape, generator=torch.Generator().manual_seed(3))
    (answer.float() * wanted).sum().backward()
    return [answer.detach(), read.grad, *(weight.grad for weight in model.parameters() if weight.requires_grad)]


def asked(model, precision):
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        return model.eval()(texts(2))


def one_step(monkeypatch):
    """Whether the last training pass was made in one step."""
    seen, apply = [], LoraProduct.apply
    monkeypatch.setattr(LoraProduct, "apply", lambda *given: seen.append(True) or apply(*given))
    return seen


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("bits", [32, 8])
def test_answers_and_gradients_are_pefts(monkeypatch, bits, bias):
    (own, ours), seen = adapted(bits, bias), one_step(monkeypatch)
    for theirs, mine in zip(trained(own, "fp32"), trained(ours, "fp32"), strict=True):
        # fp32 has 24 bits, and sums are made in another order.
        assert (mine - theirs).norm() <= 1e-6 * theirs.norm()
    assert seen


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bits", [32, 8])
def test_under_autocast_they_are_at_least_as_near_to_the_true_ones(bits, dtype):
    own, ours = adapted(bits)
    true = trained(copy.deepcopy(ours), "fp32")
    theirs, mine = trained(own, "bf16", dtype), trained(ours, "bf16", dtype)
    assert [each.dtype for each in mine] == [each.dtype for each in theirs]
    for exact, other, found in zip(true, theirs, mine, strict=True):
        # One in ten more, as rounding goes either way.
        assert (found.float() - exact).norm() <= 1.1 * (other.float() - exact).norm()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("bits", [32, 8])
def test_a_model_that_is_asked_answers_as_with_peft(bits, precision):
    own, ours = (asked(each, precision) for each in adapted(bits))
    assert own.dtype == ours.dtype
    tolerance = {"fp32": 1e-5, "bf16": 2e-2}[precision]  # bf16 has 8 bits, and PEFT rounds twice
    torch.testing.assert_close(ours, own, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("bits", [32, 8])
def test_a_fresh_adapter_changes_no_bit(bits, precision):
    _, ours = adapted(bits, fresh=True)
    with ours.disable_adapter():
        base = asked(ours, precision)
    assert torch.equal(asked(ours, precision), base)
    trains = trained(ours.train(), precision)[0]
    with ours.disable_adapter():
        assert torch.equal(trains, trained(ours, precision)[0])


@pytest.mark.parametrize("bits", [32, 8])
def test_a_model_that_is_asked_for_gradients_gives_pefts(bits):
    own, ours = (each.eval() for each in adapted(bits))  # in 8 bit x is rounded then, as whenever a model is asked
    for theirs, mine in zip(trained(own, "fp32"), trained(ours, "fp32"), strict=True):
        assert (mine - theirs).norm() <= 1e-6 * theirs.norm()


@pytest.mark.parametrize("bits", [32, 8])
def test_a_model_in_training_may_be_asked(bits):
    with torch.no_grad():
        own, ours = (each(texts(2)) for each in adapted(bits))
    assert (ours - own).norm() <= 1e-6 * own.norm()


def test_of_a_weight_in_8_bit_no_numbers_are_kept():
    _, ours = adapted(8)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda each: kept.append(each.shape) or each, lambda each: each):
        ours(texts().requires_grad_(True))
    assert sorted(kept) == [(RANK, COLUMNS), (30, RANK), (30, COLUMNS), (ROWS, RANK)]


class Sizes(TorchDispatchMode):
    """Of all that is computed: the operation and how many numbers it gives."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        given = operation(*args, **(kwargs or {}))
        if isinstance(given, torch.Tensor) and not operation.is_view:
            self.seen.append((operation.overloadpacket.__name__, given.numel()))
        return given


def passes(model, training):
    """Operations on as many numbers as the answer has, or as are read."""
    read = texts(2).requires_grad_(training)
    with Sizes() as sizes, torch.set_grad_enabled(training):
        answer = model.train(training)(read)
        if training:
            answer.backward(torch.ones_like(answer).contiguous())
    whole = [name for name, size in sizes.seen if size in (answer.numel(), read.numel())]
    return {name for name in whole if name not in ("ones_like", "_unsafe_view")}  # the latter computes nothing


def test_nothing_but_products_goes_over_an_answer_or_its_gradient():
    own, ours = adapted(biased=False)
    assert {"mul", "add"} <= passes(own, True) and {"mul", "add"} <= passes(own, False)
    assert passes(ours, True) == passes(ours, False) == {"mm", "addmm"}


def second_adapter(model):
    model.add_adapter("second", LoraConfig(**LORA))
    model.base_model.set_adapter(["default", "second"])


def base_that_trains(model):
    model.base_model.model.layer.base_layer.weight.requires_grad_(True)


@pytest.mark.parametrize(
    ("config", "change"),
    [
        ({"lora_dropout": 0.5}, None),
        ({"use_dora": True}, None),
        ({"lora_bias": True}, None),
        ({"bias": "all"}, None),
        ({}, second_adapter),
        ({}, base_that_trains),
        ({}, lambda model: model.base_model.disable_adapter_layers()),
        ({}, lambda model: model.merge_adapter()),
    ],
)
def test_what_is_no_plain_adapter_is_left_to_peft(config, change):
    answers = []
    for model in adapted(**config):
        torch.manual_seed(4)
        if change:
            change(model)
        answers.append(trained(model, "fp32"))
    for theirs, mine in zip(*answers, strict=True):
        assert (theirs is mine is None) or torch.equal(mine, theirs)


def test_who_hooks_an_adapters_own_layers_sees_them_called():
    _, ours = adapted()
    called = []
    ours.base_model.model.layer.lora_A["default"].register_forward_pre_hook(lambda *_: called.append("A"))
    trained(ours, "fp32")
    asked(ours, "fp32")
    assert called == ["A", "A"]


def test_what_names_adapters_for_each_text_is_left_to_peft():
    own, ours = (each.eval().base_model.model.layer for each in adapted())
    names = ["default", "__base__"] * 2 + ["default"]
    assert torch.equal(ours(texts(), adapter_names=names), own(texts(), adapter_names=names))
    assert not torch.equal(ours(texts(), adapter_names=names), ours(texts()))


def test_a_compiler_reads_pefts_own():
    _, ours = adapted()
    read = []

    def backend(graph, _):
        read.extend(str(node.target) for node in graph.graph.nodes)
        return graph.forward

    torch.compile(ours.base_model.model.layer, backend=backend, fullgraph=True)(texts())
    assert any("mul" in name for name in read) and not any("autograd" in name for name in read)


def test_an_input_of_another_type_is_left_to_peft():
    own, ours = (each.eval().to(torch.float64) for each in adapted())
    for each in (own, ours):
        each.base_model.model.layer.base_layer.to(torch.float32)
    with torch.no_grad():
        assert torch.equal(own(texts()), ours(texts()))

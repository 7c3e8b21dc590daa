"""Products in fp32 by oneDNN, which are torch's own up to rounding. Here oneDNN is taken for faster on each machine."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from bench.inference.likelihood import likelihoods
from bench.modeling import fp32_product
from bench.modeling.casting import cast_once
from bench.modeling.forward import exact_logits, loss_sum
from bench.modeling.fp32_product import is_linear, multiplied, multiply_fast
from bench.tokens.batches import collate
from bench.tokens.encoded import Encoded

ONEDNNS = "_linear_pointwise"


class Products(TorchDispatchMode):
    """Counts products in fp32, oneDNN's and torch's own."""

    def __init__(self):
        super().__init__()
        self.counts = {ONEDNNS: 0, "mm": 0, "addmm": 0}

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        given = operation(*args, **(kwargs or {}))
        name = operation.overloadpacket.__name__
        if name in self.counts and given.dtype == torch.float32:
            self.counts[name] += 1
        return given


@pytest.fixture(autouse=True)
def faster(monkeypatch):
    monkeypatch.setattr(fp32_product, "multiplies_fp32_by_onednn", lambda: True)


@pytest.fixture
def nets(decoder, monkeypatch):
    """A model as torch multiplies it, and the same by oneDNN."""
    with monkeypatch.context() as slower:
        slower.setattr(fp32_product, "multiplies_fp32_by_onednn", lambda: False)
        plain = decoder.load().eval()
    assert {type(m) for m in plain.modules() if isinstance(m, nn.Linear)} == {nn.Linear}
    return plain, decoder.load().eval()


@pytest.fixture
def batch():
    texts = [Encoded((5, 6, 7, 8, 9, 10, 11), answer=3), Encoded((9, 8, 7, 6), answer=2)]
    return collate(texts, 0, torch.device("cpu"))


@given(
    shape=st.sampled_from([(7, 24), (1, 24), (0, 24), (3, 5, 24), (2, 3, 5, 24)]),
    biased=st.booleans(),
    wanted=st.lists(st.booleans(), min_size=3, max_size=3),
    turned=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_product_and_its_gradients_are_torchs_own(shape, biased, wanted, turned):
    torch.manual_seed(0)
    numbers = [torch.randn(shape), torch.randn(16, 24), torch.randn(16) if biased else None]
    if turned and len(shape) > 1:  # not in one piece
        numbers[0] = torch.randn(*shape[:-2], shape[-1], shape[-2]).transpose(-1, -2)
    ours = [None if n is None else n.clone().requires_grad_(want) for n, want in zip(numbers, wanted, strict=True)]
    exact = [None if n is None else n.double().requires_grad_(want) for n, want in zip(numbers, wanted, strict=True)]
    with Products() as products:
        answer = multiplied(*ours)
    # oneDNN knows no empty product.
    assert products.counts[ONEDNNS] == bool(numbers[0].numel())
    expected = functional.linear(*exact)
    assert answer.shape == expected.shape and answer.dtype == torch.float32
    assert torch.allclose(answer.double(), expected, atol=1e-4)
    assert answer.requires_grad == expected.requires_grad
    if expected.requires_grad:
        above = torch.randn(expected.shape)
        answer.backward(above), expected.backward(above.double())
        for mine, theirs in zip(ours, exact, strict=True):
            if mine is None or theirs.grad is None:
                assert mine is None or mine.grad is None
            else:
                assert mine.grad.shape == theirs.grad.shape and torch.allclose(mine.grad.double(), theirs.grad, atol=1e-4)


class MadeAt(TorchDispatchMode):
    """Where oneDNN's products lie, and how what they multiply by does. It holds none of them, since torch keeps no gradient as
    it is that another holds."""

    def __init__(self):
        super().__init__()
        self.places, self.in_one_piece = [], []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        given = operation(*args, **(kwargs or {}))
        if operation.overloadpacket.__name__ == ONEDNNS:
            self.places.append(given.data_ptr())
            self.in_one_piece.append(args[1].is_contiguous() or args[1].t().is_contiguous())
        return given


@pytest.mark.parametrize("rows, columns", [(16, 24), (24, 16)])
@pytest.mark.parametrize("sliced", [False, True])
def test_a_weights_gradient_is_kept_where_it_was_made(rows, columns, sliced):
    # A classifier reads the first token of each text. By such a slice oneDNN multiplies a hundred times as slowly.
    read = torch.randn(7, 5, columns)[:, 0] if sliced else torch.randn(7, columns)
    weight = nn.Parameter(torch.randn(rows, columns))
    with MadeAt() as made:
        multiplied(read, weight).sum().backward()
    assert weight.grad.data_ptr() in made.places
    assert made.in_one_piece == [True, True]


def test_what_is_not_fp32_is_torchs_own():
    read, weight = torch.randn(4, 24), torch.randn(16, 24)
    with Products() as products:
        assert torch.equal(multiplied(read.double(), weight.double()), functional.linear(read.double(), weight.double()))
        half = functional.linear(read.bfloat16(), weight.bfloat16())
        assert torch.equal(multiplied(read.bfloat16(), weight.bfloat16()), half)
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(multiplied(read, weight), half)
        shared_out = nn.Parameter(weight)
        shared_out.ds_id = 3  # as DeepSpeed marks one
        multiplied(read, shared_out)
    assert products.counts[ONEDNNS] == 0


def test_a_model_learns_and_answers_the_same(nets, batch):
    """Planted fault: the weight's gradient was left transposed, which a square weight doesn't show."""
    plain, fast = nets
    counted = []
    for net in nets:
        with Products() as products:
            loss_sum(net, batch).backward()
        counted.append(products.counts)
    assert counted[0][ONEDNNS] == 0 and counted[1][ONEDNNS] > 0 and counted[1]["mm"] == counted[1]["addmm"] == 0
    for (name, theirs), (_, mine) in zip(plain.named_parameters(), fast.named_parameters(), strict=True):
        assert (mine.grad - theirs.grad).norm() <= 1e-5 * theirs.grad.norm(), name
    asked = [((5, 6, 7), (8, 9)), ((5, 6), (9,))]
    for theirs, mine in zip(*(likelihoods(net, asked, 0, 64) for net in nets), strict=True):
        assert mine.nats == pytest.approx(theirs.nats, abs=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("cast", [True, False])
def test_a_model_that_is_asked_multiplies_so_where_it_is_not_cast(nets, batch, cast):
    """Its head is always read in fp32."""
    plain, fast = (net.requires_grad_(False) for net in nets)
    blocks = 7 * len(plain.model.layers)
    answers = []
    for net in (plain, fast):
        with torch.autocast("cpu", torch.bfloat16, enabled=cast), exact_logits(net), cast_once(net), Products() as products:
            answers.append(net(input_ids=batch.input_ids).logits)
    assert products.counts == {ONEDNNS: 1 if cast else 1 + blocks, "mm": 0, "addmm": 0}
    assert torch.allclose(*answers, atol=1e-5)


def test_operations_are_counted_as_torchs_own(nets, batch):
    totals = []
    for net in nets:
        with FlopCounterMode(display=False) as counter:
            loss_sum(net, batch).backward()
        totals.append(counter.get_total_flops())
    assert totals[0] == totals[1] > 0


def test_a_layer_stays_a_plain_one(nets):
    plain, fast = nets
    assert is_linear(plain.lm_head) and is_linear(fast.lm_head) and not is_linear(fast.model.norm) and not is_linear(None)
    again = copy.deepcopy(fast)
    assert again.state_dict().keys() == plain.state_dict().keys()
    with torch.no_grad():
        again.lm_head.weight.zero_()
        assert not again(torch.tensor([[5, 6]])).logits.any() and fast(torch.tensor([[5, 6]])).logits.any()


def test_layers_of_another_type_are_left_alone():
    class Other(nn.Linear):
        pass

    layers = nn.ModuleList([Other(4, 4), nn.Linear(4, 4, dtype=torch.bfloat16), nn.Linear(4, 4)])
    multiply_fast(layers)
    assert [type(layer) in (Other, nn.Linear) for layer in layers] == [True, True, False]

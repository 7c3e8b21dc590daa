"""Our product with a frozen weight in 8 bit is bitsandbytes' own, and keeps nothing of what it reads.

Once ours stands in its place, its own can't be asked any more: each test asks in a new process.
"""

import weakref

import pytest
import torch
from own_process import in_a_new_process

from bench.modeling import eight_bit

COLUMNS, ROWS = 64, 300


def layer_in_training(bias=True):
    from bitsandbytes.nn import Linear8bitLt

    torch.manual_seed(0)
    layer = Linear8bitLt(COLUMNS, ROWS, bias=bias, has_fp16_weights=False, threshold=6.0).to("cpu")  # rounded on its way there
    assert layer.weight.dtype == torch.int8
    return layer.train()


def asked(layer, precision, texts, wanted):
    """What a layer answers, and the gradient of what it read."""
    read = texts.clone().requires_grad_(True)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        answer = layer(read)
    (answer * wanted).sum().backward()
    return answer.detach(), read.grad


def both(precision, kind):
    """Its own and ours."""
    layer, generator = layer_in_training(), torch.Generator().manual_seed(1)
    layer.requires_grad_(False)
    texts = torch.randn(5, 6, COLUMNS, generator=generator).to(kind)
    wanted = torch.randn(5, 6, ROWS, generator=generator)
    own = asked(layer, precision, texts, wanted)
    eight_bit.hasten()
    return own, asked(layer, precision, texts, wanted)


def test_a_product_and_its_gradient_are_bitsandbytes_own():
    own, ours = in_a_new_process(both, "fp32", torch.float32)
    assert all(torch.equal(*each) for each in zip(own, ours, strict=True))


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_under_autocast_a_gradient_is_rounded_as_all_others_there(kind):
    (answer, gradient), (ours, below) = in_a_new_process(both, "bf16", kind)
    assert torch.equal(answer, ours) and ours.dtype == torch.bfloat16
    assert gradient.dtype == below.dtype == kind
    # bf16 has 8 bits, and so a step of 1/256 between neighbours.
    assert (gradient.float() - below.float()).norm() < gradient.float().norm() / 256
    assert torch.equal(gradient, below) == (kind == torch.bfloat16)


def kept_of_what_is_read():
    """Whether an input is held for the backward pass by bitsandbytes' own product and by ours."""
    layer, held = layer_in_training(bias=False).requires_grad_(False), []
    for ours in (False, True):
        if ours:
            eight_bit.hasten()
        read = torch.randn(3, COLUMNS, requires_grad=True) * 2
        told, answer = weakref.ref(read), layer(read)
        del read
        held.append(told() is not None)
        answer.sum().backward()
    return held


def test_nothing_of_what_a_layer_reads_is_kept():
    assert in_a_new_process(kept_of_what_is_read) == [True, False]


def gradient_of_a_bias():
    layer, texts = layer_in_training(), torch.randn(2, 3, COLUMNS, generator=torch.Generator().manual_seed(2))
    wanted = torch.randn(2, 3, ROWS, generator=torch.Generator().manual_seed(3))
    layer.weight.requires_grad_(False)
    eight_bit.hasten()
    (layer(texts) * wanted).sum().backward()
    return layer.bias.grad, wanted.sum((0, 1))


def test_a_bias_may_train():
    torch.testing.assert_close(*in_a_new_process(gradient_of_a_bias))

"""The gradient of attention in bf16 is nearer to the true one than torch's own, and that of all else is torch's own."""

import warnings

import pytest
import torch
from own_process import in_a_new_process

from bench.devices import attention_gradient

SHORT, LONG = 40, attention_gradient.SHORT + 1


def texts(length):
    """What a block asks, with two texts of which one is padded, and the gradient above it."""
    generator = torch.Generator().manual_seed(0)
    drawn = [torch.randn(2, length, 3, 16, generator=generator).bfloat16().transpose(1, 2) for _ in range(4)]
    seen = torch.ones(length, length, dtype=torch.bool).tril().repeat(2, 1, 1, 1)
    seen[1, ..., : length // 3] = False
    seen[1].diagonal(dim1=-2, dim2=-1).fill_(True)
    return drawn, seen


def gradients(length, dtype, masked):
    (*asked, above), seen = texts(length)
    asked = [each.to(dtype).requires_grad_(True) for each in asked]
    options = {"attn_mask": seen} if masked else {"is_causal": True}
    answer = torch.nn.functional.scaled_dot_product_attention(*asked, **options)
    return torch.autograd.grad(answer, asked, above.to(dtype))


CASES = [
    (SHORT, torch.bfloat16, True),
    (SHORT, torch.bfloat16, False),
    (SHORT, torch.float32, True),
    (LONG, torch.bfloat16, True),
]


def before_and_after():
    """Each case's gradients by torch's own kernel and by ours, and what torch warned of meanwhile."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        own = [gradients(*case) for case in CASES]
        attention_gradient.compute_in_fp32()
        attention_gradient.compute_in_fp32()
        return own, [gradients(*case) for case in CASES], [str(each.message) for each in told]


def error(found, length, masked):
    true = gradients(length, torch.float64, masked)
    return max(float((one.double() - other).norm() / other.norm()) for one, other in zip(found, true, strict=True))


@pytest.fixture(scope="module")
def found():
    return in_a_new_process(before_and_after)


@pytest.mark.parametrize("case", [0, 1])
def test_short_texts_in_bf16_have_a_gradient_that_is_rounded_less(found, case):
    own, ours, _ = found
    length, dtype, masked = CASES[case]
    assert all(gradient.dtype == dtype for gradient in ours[case])
    assert error(ours[case], length, masked) < min(error(own[case], length, masked), 0.004)


@pytest.mark.parametrize("case", [2, 3])
def test_other_gradients_are_torchs_own(found, case):
    own, ours, _ = found
    assert all(torch.equal(*each) for each in zip(own[case], ours[case], strict=True))


def test_nothing_is_told_of_it(found):
    assert found[2] == []


def replaced_by_a_start(precision):
    from bench.devices.device import start

    start(precision)
    return attention_gradient.compute_in_fp32.cache_info().currsize


@pytest.mark.parametrize(("precision", "kernels"), [("bf16", 1), ("fp32", 0)])
def test_it_is_there_where_a_cpu_computes_in_bf16(precision, kernels):
    assert in_a_new_process(replaced_by_a_start, precision) == kernels


def test_a_torch_that_gives_no_kernel_away_keeps_its_own(monkeypatch):
    monkeypatch.delattr(torch.library, "get_kernel")
    assert attention_gradient.compute_in_fp32.__wrapped__() is None

"""Our kernels give what bitsandbytes' own give, bit for bit.

Once they are registered its own can't be asked any more, and another test may have done that: each test asks in a new process.
"""

import torch
from own_process import in_a_new_process

from bench.modeling import eight_bit


def matrix(rows, columns, outliers, seed):
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randn(rows, columns, generator=generator)
    for place in range(outliers):
        numbers[place % rows, (7 * place) % columns] = 6.0 + place
    numbers[:, 3] *= 20.0 * (outliers > 0)  # a whole column of large numbers, or an empty one
    return numbers.half()


def alike(one, other):
    return (one is None and other is None) or (one.dtype == other.dtype and torch.equal(one, other))


def rounding(rows, columns, outliers, threshold):
    given = matrix(rows, columns, outliers, rows)
    kept = given.clone()
    own = torch.ops.bitsandbytes.int8_vectorwise_quant.default(given.clone(), threshold)
    return all(alike(*each) for each in zip(eight_bit.rows_in_8_bit(given, threshold), own, strict=True)) and torch.equal(
        given, kept
    )


def scaling(rows, dtype, biased):
    generator = torch.Generator().manual_seed(rows)
    product = torch.randint(-(2**22), 2**22, (rows, 500), generator=generator, dtype=torch.int32)
    sizes, others, bias = (torch.rand(length, generator=generator) for length in (rows, 500, 500))
    given = (product, sizes, others, dtype, bias.to(dtype or torch.float32) if biased else None)
    return alike(eight_bit.scaled_back(*given), torch.ops.bitsandbytes.int8_mm_dequant.default(*given))


ROUNDINGS = [(40, 64, 5, 6.0), (40, 64, 0, 6.0), (1, 64, 3, 6.0), (300, 32, 9, 0.0)]
SEVERAL_CHUNKS = 2 * (eight_bit.SCALED_AT_ONCE // 500) + 1
SCALINGS = [(3, torch.float32, True), (SEVERAL_CHUNKS, torch.bfloat16, False), (700, torch.bfloat16, True), (5, None, False)]


def unlike():
    """Cases in which a kernel gives something else than bitsandbytes."""
    import bitsandbytes  # noqa: F401 (defines the operators)

    return [case for case in ROUNDINGS if not rounding(*case)] + [str(case) for case in SCALINGS if not scaling(*case)]


def test_rows_are_rounded_and_products_scaled_back_alike():
    assert in_a_new_process(unlike) == []


def layers():
    """What a layer in 8 bit answers before and after the kernels are registered, and whether they were."""
    import bitsandbytes

    torch.manual_seed(0)
    layer = bitsandbytes.nn.Linear8bitLt(64, 48, has_fp16_weights=False, threshold=6.0)
    layer = layer.to("cpu").eval()  # is rounded on its way to a device
    texts = matrix(30, 64, 4, 1).float().view(5, 6, 64)
    with torch.no_grad():
        before = layer(texts)
        eight_bit.hasten()
        after = layer(texts)
    registered = torch._C._dispatch_has_kernel_for_dispatch_key("bitsandbytes::int8_mm_dequant", "CPU")
    return layer.weight.dtype == torch.int8, torch.equal(before, after), registered


def test_a_layer_answers_as_before():
    assert in_a_new_process(layers) == (True, True, True)

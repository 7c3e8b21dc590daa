"""Dropout drops what torch's own kernel drops, to the last bit, and leaves the random numbers where that leaves them."""

import warnings

import pytest
import torch
from own_process import in_a_new_process
from torch.nn.functional import dropout, scaled_dot_product_attention

from bench.devices import dropout_draws

LONG = (3, 5, dropout_draws.AT_ONCE // 8)
"""Numbers that take two blocks, of which the second is not whole."""


def by_attention():
    asked = torch.ones(2, 3, 8, 4)
    return scaled_dot_product_attention(asked, asked, torch.randn_like(asked), dropout_p=0.3)


CASES = {
    "long": lambda: dropout(torch.ones(LONG), 0.1),
    "bf16": lambda: dropout(torch.ones(7, 11, dtype=torch.bfloat16), 0.3),
    "module": lambda: torch.nn.Dropout(0.5)(torch.ones(40)),
    "attention": by_attention,
    "all": lambda: torch.empty(9).bernoulli_(1.0),
    "none": lambda: torch.empty(9).bernoulli_(0.0),
    "booleans": lambda: torch.empty(33, dtype=torch.bool).bernoulli_(0.2),
    "columns": lambda: torch.empty(6, 4).t().bernoulli_(0.5),
    "empty": lambda: torch.empty(0).bernoulli_(0.5),
    "one's own generator": lambda: torch.empty(20).bernoulli_(0.5, generator=torch.Generator().manual_seed(3)),
}


def drawn():
    """What each case gives, and what the next random number is."""
    found = {}
    for name, case in CASES.items():
        torch.manual_seed(1)
        found[name] = (case(), torch.rand(1))
    return found


def before_and_after():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        own = drawn()
        replaced = dropout_draws.draw_in_blocks() is not None
        return own, drawn(), replaced, [str(each.message) for each in told]


@pytest.fixture(scope="module")
def found():
    return in_a_new_process(before_and_after)


def test_torchs_own_kernel_is_replaced_and_nothing_is_told_of_it(found):
    assert found[2:] == (True, [])


@pytest.mark.parametrize("case", CASES)
def test_the_same_numbers_come_and_come_next(found, case):
    own, ours, *_ = found
    assert all(torch.equal(*each) for each in zip(own[case], ours[case], strict=True))


def test_about_the_share_that_is_asked_for_is_kept():
    kept = dropout_draws.fill_with_draws(torch.empty(LONG), 0.9, torch.Generator().manual_seed(0))
    assert set(kept.unique().tolist()) == {0.0, 1.0} and kept.mean() == pytest.approx(0.9, abs=0.005)


def replaced_by_a_start(precision):
    from bench.devices.device import start

    start(precision)
    return dropout_draws.draw_in_blocks.cache_info().currsize


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_it_is_there_in_a_run_on_a_cpu(precision):
    assert in_a_new_process(replaced_by_a_start, precision) == 1


def in_a_torch_that_draws_otherwise():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dropout_draws, "BITS", 52)
        return dropout_draws.draw_in_blocks() is None


def test_a_torch_that_draws_otherwise_keeps_its_own():
    assert in_a_new_process(in_a_torch_that_draws_otherwise)


def test_a_torch_that_gives_no_kernel_away_keeps_its_own(monkeypatch):
    monkeypatch.delattr(torch.library, "get_kernel")
    assert dropout_draws.draw_in_blocks.__wrapped__() is None

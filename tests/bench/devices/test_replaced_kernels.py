"""A kernel takes the place of torch's own until it is let go of."""

import torch
from own_process import in_a_new_process

from bench.devices.replaced_kernels import own_kernel, replace_kernel


def numbers():
    return torch.full((3,), 7.0).abs_().tolist()


def before_within_and_after():
    own = own_kernel("abs_")
    before = numbers()
    library = replace_kernel("abs_", lambda keys, given: own.call_boxed(keys, given.mul_(-2)))
    within = numbers()
    del library
    return before, within, numbers()


def test_it_may_go_on_to_torchs_own_and_is_gone_when_let_go_of():
    assert in_a_new_process(before_within_and_after) == ([7.0] * 3, [14.0] * 3, [7.0] * 3)


def test_a_torch_too_old_gives_none_away(monkeypatch):
    monkeypatch.delattr(torch.library, "get_kernel")
    assert own_kernel("abs_") is None

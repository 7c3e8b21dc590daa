import numpy as np
import pytest
import torch

from bench import metrics
from bench.errors import UserError


def test_perplexity_is_the_exponential_of_torchs_mean_loss():
    logits = torch.randn(9, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    labels = torch.arange(9) % 5
    losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    items = [[losses[:2].sum().item(), 2], [losses[2:].sum().item(), 7]]
    expected = torch.nn.functional.cross_entropy(logits, labels).exp().item()
    assert metrics.counted("perplexity").value(items, []) == pytest.approx(expected)


def test_bits_per_byte():
    # A uniform guess of a byte among 256 takes 8 bits, however many tokens there are.
    items = [[3 * np.log(256), 2.0, 3.0], [np.log(256), 1.0, 1.0]]
    assert metrics.counted("bits_per_byte").value(items, []) == pytest.approx(8)


def test_nats_and_tokens_alone_give_no_bits_per_byte():
    """What engines before 5 kept: dividing by the tokens made 5.698 bits of 1.251."""
    with pytest.raises(UserError, match="item 1: there are no bytes"):
        metrics.counted("bits_per_byte").value([[3.0, 2.0]], [])


@pytest.mark.parametrize(("name", "unit"), [("perplexity", "tokens"), ("bits_per_byte", "bytes")])
def test_item_without_anything_to_score_is_an_error(name: str, unit: str):
    with pytest.raises(UserError, match=f"item 2: there are no {unit}"):
        metrics.counted(name).value([[1.0, 2.0, 5.0], [0.0, 0.0, 0.0]], [])


def test_lower_is_better_and_no_share():
    for name in ("perplexity", "bits_per_byte"):
        assert not metrics.counted(name).higher_is_better and not metrics.counted(name).share

"""Several heads on one backbone, against each head's own model."""

import pytest
import torch
from accelerate import Accelerator
from transformers import AutoModelForQuestionAnswering, AutoModelForSequenceClassification, AutoModelForTokenClassification

from bench.modeling.forward import head_logits, loss_sum
from bench.modeling.heads import Heads
from bench.strategies.base import Hyperparameters
from bench.tokens.encoded import IGNORE, Encoded, collate
from bench.training import loop

KINDS = {AutoModelForSequenceClassification: 3, AutoModelForTokenClassification: 5, AutoModelForQuestionAnswering: 2}
CPU = torch.device("cpu")


@pytest.fixture
def singles(encoder):
    torch.manual_seed(0)
    return [encoder.load(kind, num_labels=outputs).eval() for kind, outputs in KINDS.items()]


def examples(head):
    """Three of different lengths, with the head's kind of labels."""
    rows = [(5, 6, 7, 8), (9, 10), (11, 12, 13)]
    labels = {0: [(1,), (0,), (2,)], 1: [(IGNORE, 1, 4, IGNORE), (0, 3), (IGNORE, 2, 0)], 2: [(1, 2), (0, 0), (1, 1)]}
    return [
        Encoded((101, *ids), labels=(IGNORE, *found) if head == 1 else found, head=head)
        for ids, found in zip(rows, labels[head], strict=True)
    ]


def batch(head):
    return collate(examples(head), 0, CPU)


def test_each_head_gives_what_its_own_model_gives(singles):
    with torch.no_grad():
        alone = [head_logits(model, batch(head)) for head, model in enumerate(singles)]
        # Only the backbones' poolers differ: the shared one is that of the model that has one.
        heads = Heads(singles).eval()
        for head, expected in enumerate(alone):
            assert torch.equal(head_logits(heads, batch(head)), expected)
    assert [tuple(logits.shape) for logits in alone] == [(3, 1, 3), (3, 5, 5), (3, 2, 5)]
    assert heads.config is singles[0].config


def test_the_backbone_is_one(singles):
    apart = sum(p.numel() for model in singles for p in model.parameters())
    backbone = max(sum(p.numel() for p in model.bert.parameters()) for model in singles)
    heads = Heads(singles)
    own = (3 * 128 + 3) + (5 * 128 + 5) + (2 * 128 + 2)
    assert sum(p.numel() for p in heads.parameters()) == backbone + own < apart
    assert all(model.bert is heads.backbone for model in singles)
    pooler = 128 * 128 + 128
    assert sum(p.numel() for p in heads.own()) == own + pooler


@pytest.mark.parametrize("head", range(3))
def test_training_one_head_changes_what_the_others_see_and_not_their_weights(singles, head):
    heads = Heads(singles).eval()
    others = [other for other in range(3) if other != head]
    with torch.no_grad():
        before = {other: head_logits(heads, batch(other)) for other in others}
    names = ["classifier", "classifier", "qa_outputs"]
    weights = {other: getattr(heads.heads[str(other)], names[other]).weight.detach().clone() for other in others}
    spent = loop.train(
        heads,
        [examples(head)] * 3,
        Hyperparameters(learning_rate=1e-3, schedule="constant"),
        Accelerator(cpu=True),
        loop.Padding(0, 1000),
    )
    assert spent.losses[-1] < spent.losses[0]
    with torch.no_grad():
        for other in others:
            assert not torch.allclose(head_logits(heads, batch(other)), before[other], atol=1e-3)
            assert torch.equal(getattr(heads.heads[str(other)], names[other]).weight, weights[other])


@pytest.mark.parametrize("head", range(3))
def test_every_parameter_gets_a_gradient_whichever_head_is_asked(singles, head):
    heads = Heads(singles)
    loss_sum(heads, batch(head)).backward()
    assert all(parameter.grad is not None for parameter in heads.parameters())
    used = {name for name, parameter in heads.named_parameters() if parameter.grad.abs().sum() > 0}
    assert not any(
        f"heads.{other}.classifier" in name or f"heads.{other}.qa" in name
        for name in used
        for other in range(3)
        if other != head
    )
    assert any(f"heads.{head}." in name for name in used) and any("backbone.encoder.layer.0" in name for name in used)


def test_gradients_are_those_of_the_single_model(singles, encoder):
    torch.manual_seed(0)
    alone = encoder.load(AutoModelForSequenceClassification, num_labels=3).eval()
    loss_sum(alone, batch(0)).backward()
    heads = Heads(singles).eval()
    loss_sum(heads, batch(0)).backward()
    expected = {name.removeprefix("bert."): p.grad for name, p in alone.named_parameters() if name.startswith("bert.")}
    found = {name: p.grad for name, p in heads.backbone.named_parameters()}
    assert found.keys() == expected.keys()
    assert all(torch.allclose(found[name], grad, atol=1e-6) for name, grad in expected.items())


def test_a_step_of_several_tasks_is_the_mean_over_all_their_targets(singles):
    heads = Heads(singles).eval()
    step = [encoded for head in range(3) for encoded in examples(head)]
    with torch.no_grad():
        sums = [loss_sum(heads, batch(head)).item() for head in range(3)]
    targets = sum(encoded.targets for encoded in step)
    still = Hyperparameters(learning_rate=1e-9)
    for module in heads.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    spent = loop.train(heads, [step], still, Accelerator(cpu=True), loop.Padding(0, 1000))
    assert spent.losses == [pytest.approx(sum(sums) / targets, rel=1e-5)]

"""Losses and logits against torch's own cross-entropy and against each example alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import AutoModelForQuestionAnswering, AutoModelForSequenceClassification, AutoModelForTokenClassification

from bench import strategies
from bench.modeling.cross_entropy import token_losses
from bench.modeling.forward import accepts, caches, exact_logits, head_logits, last_logits, loss_sum, unwrapped
from bench.tokens.encoded import IGNORE, Encoded, collate

CPU = torch.device("cpu")


@settings(deadline=None)
@given(st.integers(0, 99), st.sampled_from([0.0, 0.1, 0.7]), st.integers(1, 4), st.integers(1, 6), st.integers(2, 9))
def test_token_losses_are_torchs(seed, smoothing, rows, columns, classes):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(rows, columns, classes, generator=generator)
    labels = torch.randint(-1, classes, (rows, columns), generator=generator)
    labels[labels < 0] = IGNORE
    found = token_losses(logits, labels, smoothing)
    expected = cross_entropy(logits.mT, labels, reduction="none", ignore_index=IGNORE, label_smoothing=smoothing)
    assert torch.allclose(found, expected, atol=1e-5) and found.shape == labels.shape
    assert (found[labels == IGNORE] == 0).all()


@settings(deadline=None)
@given(st.integers(0, 99), st.sampled_from([0.0, 0.1, 0.7]), st.integers(2, 6), st.integers(0, 4))
def test_what_is_no_class_gets_no_part_of_the_smoothing(seed, smoothing, classes, padding):
    """A span's padded tokens: as if they were not there, in the loss and in its gradient."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(3, 2, classes, generator=generator)
    labels = torch.randint(0, classes, (3, 2), generator=generator)
    padded = torch.cat([logits, torch.full((3, 2, padding), -torch.inf)], -1).requires_grad_()
    found = token_losses(padded, labels, smoothing)
    expected = cross_entropy(logits.mT, labels, reduction="none", label_smoothing=smoothing)
    assert torch.allclose(found, expected, atol=1e-5)
    found.sum().backward()
    assert padded.grad.isfinite().all() and (padded.grad[..., classes:] == 0).all()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("strategy", ["full", "lora-8bit"])
def test_logits_are_made_at_the_targets_alone_with_the_loss_and_gradients_of_all(decoder, library, strategy, smoothing):
    """Beside a text that is learned whole; the other way is transformers' own, row by row."""
    torch.manual_seed(0)
    settings = {} if strategy == "full" else {"bits": 32}
    model = strategies.load_strategy(library.strategy(strategy), "decoder", settings).adapt(decoder.load(), "decoder").eval()
    step = [*DECODED, Encoded(tuple(range(20, 60)), answer=39, weight=0.1)]
    places = []
    hook = unwrapped(model).get_output_embeddings().register_forward_hook(lambda _, args, out: places.append(out.shape[:-1]))
    found = loss_sum(model, collate(step, 0, CPU), smoothing)
    hook.remove()
    found.backward()
    assert [shape.numel() for shape in places] == [sum(encoded.answer for encoded in step)]
    gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    alone = 0.0
    for e in step:
        logits = model(input_ids=torch.tensor([e.ids])).logits[0, -e.answer - 1 : -1]
        wanted = torch.tensor(e.ids[-e.answer :])
        alone = alone + e.weight * cross_entropy(logits, wanted, reduction="sum", label_smoothing=smoothing)
    alone.backward()
    assert found.item() == pytest.approx(alone.item(), rel=1e-6)
    for name, p in model.named_parameters():
        assert (p.grad is None) == (name not in gradients)
        if p.grad is not None:
            assert torch.allclose(gradients[name], p.grad, atol=1e-5, rtol=1e-4)


def test_the_loss_of_a_dialogue_is_transformers_with_the_other_turns_masked(decoder):
    model = decoder.load().eval()
    dialogue, other = Encoded((5, 6, 7, 8, 9, 10), answer=5, silent=(2, 3)), Encoded((9, 10, 11), answer=2)
    masked = torch.tensor([[IGNORE, 6, 7, IGNORE, IGNORE, 10]])
    theirs = model(input_ids=torch.tensor([dialogue.ids]), labels=masked).loss * dialogue.targets
    theirs = theirs + model(input_ids=torch.tensor([other.ids]), labels=torch.tensor([[IGNORE, 10, 11]])).loss * 2
    ours = loss_sum(model, collate([dialogue, other], 0, torch.device("cpu")))
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)


def test_losses_are_taken_in_fp32():
    logits = torch.randn(2, 3, 50, dtype=torch.bfloat16)
    labels = torch.randint(0, 50, (2, 3))
    assert torch.allclose(token_losses(logits, labels), cross_entropy(logits.float().mT, labels, reduction="none"))


DECODED = [Encoded((5, 6, 7, 8, 9), answer=2), Encoded((10, 11, 12), answer=1, weight=0.5), Encoded((13, 14), answer=1)]
HEADED = {
    AutoModelForSequenceClassification: [(1,), (0,), (2,)],
    AutoModelForTokenClassification: [(IGNORE, 1, 2, IGNORE, 0), (0, IGNORE, 1), (2, 2)],
    AutoModelForQuestionAnswering: [(1, 3), (0, 0), (1, 1)],
}


def test_a_decoders_batch_weighs_and_sums_what_each_example_has_alone(decoder):
    model = decoder.load().eval()
    with torch.no_grad():
        found = loss_sum(model, collate(DECODED, 0, CPU)).item()
        alone = 0.0
        for e in DECODED:
            ids = torch.tensor([e.ids])
            labels = torch.tensor([[IGNORE] * (len(e.ids) - e.answer) + list(e.ids[-e.answer :])])
            alone += e.weight * e.answer * model(input_ids=ids, labels=labels).loss.item()
    assert found == pytest.approx(alone, rel=1e-5)


@pytest.mark.parametrize("kind", HEADED)
def test_a_heads_batch_sums_what_each_window_has_alone(encoder, kind):
    model = encoder.load(kind, num_labels=2 if kind is AutoModelForQuestionAnswering else 3).eval()
    windows = [Encoded(e.ids, labels=labels, types=(0,) * len(e.ids)) for e, labels in zip(DECODED, HEADED[kind], strict=True)]
    with torch.no_grad():
        together = loss_sum(model, collate(windows, 0, CPU)).item()
        alone = 0.0
        for window in windows:
            given = {"input_ids": torch.tensor([window.ids])}
            labels = torch.tensor([window.labels])
            if kind is AutoModelForQuestionAnswering:  # transformers' loss is the mean of both ends
                loss = 2 * model(**given, start_positions=labels[:, 0], end_positions=labels[:, 1]).loss
            else:
                loss = window.targets * model(**given, labels=labels).loss
            alone += loss.item()
    assert together == pytest.approx(alone, rel=1e-4)


def test_a_spans_padding_is_no_class(encoder):
    model = encoder.load(AutoModelForQuestionAnswering, num_labels=2).eval()
    windows = [Encoded((5, 6, 7), labels=(1, 1)), Encoded((8,), labels=(0, 0))]
    with torch.no_grad():
        logits = head_logits(model, collate(windows, 0, CPU))
    assert logits.shape == (2, 2, 3)
    assert logits[1, :, 1:].isneginf().all() and logits[0].isfinite().all()


def test_logits_of_the_last_positions_alone(decoder):
    model = decoder.load().eval()
    batch = collate(DECODED, 0, CPU)
    with torch.no_grad():
        found = last_logits(model, batch, 2)
        assert found.shape == (3, 2, 1000)
        for row, e in zip(found[:, -1], DECODED, strict=True):
            assert torch.allclose(row, model(torch.tensor([e.ids[:-1]])).logits[0, -1], atol=1e-5)


def test_what_a_model_accepts_is_seen_through_wrappers(decoder, encoder, library):
    model = decoder.load()
    adapted = strategies.load_strategy(library.strategy("lora-8bit"), "decoder", {"bits": 32}).adapt(decoder.load(), "decoder")
    for each in (model, adapted):
        assert accepts(each, "logits_to_keep") and accepts(each, "position_ids") and not accepts(each, "token_type_ids")
        assert caches(each)
    prompts = {"bits": 32, "peft": {"peft_type": "PREFIX_TUNING", "num_virtual_tokens": 3}}
    assert not caches(
        strategies.load_strategy(library.strategy("lora-8bit"), "decoder", prompts).adapt(decoder.load(), "decoder")
    )
    assert accepts(encoder.load(AutoModelForSequenceClassification), "token_type_ids")


@torch.no_grad()
def test_under_autocast_logits_have_the_precision_of_the_heads_weights(decoder):
    """They are those that the head makes in fp32 of what the backbone gave in bf16, and out of that context as they were."""
    net, batch = decoder.load().eval(), collate([Encoded((5, 6, 7, 8, 9), answer=2)], 0, torch.device("cpu"))
    with torch.autocast("cpu", torch.bfloat16):
        coarse = last_logits(net, batch, 2)
        with exact_logits(net), exact_logits(net):
            fine = last_logits(net, batch, 2)
        states = net(input_ids=batch.input_ids, output_hidden_states=True).hidden_states[-1][:, -2:]
        again = last_logits(net, batch, 2)
    assert coarse.dtype == torch.bfloat16 and fine.dtype == torch.float32
    assert torch.equal(fine, net.lm_head(states.float())) and not torch.equal(fine, coarse.float())
    assert torch.equal(again, coarse) and "forward" not in vars(net.lm_head)


@torch.no_grad()
def test_without_autocast_exact_logits_change_nothing(decoder, encoder):
    net, batch = decoder.load().eval(), collate([Encoded((5, 6, 7, 8, 9), answer=2)], 0, torch.device("cpu"))
    plain = last_logits(net, batch, 2)
    with exact_logits(net), exact_logits(encoder.load(AutoModelForSequenceClassification)):  # which has no such head
        assert torch.equal(last_logits(net, batch, 2), plain)


class HeadProducts(TorchDispatchMode):
    """What torch is asked for that makes logits of states."""

    def __init__(self, words):
        super().__init__()
        self.words, self.names = words, []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        name = function.overloadpacket.__name__
        if name in ("mm", "bmm", "addmm", "baddbmm") and result.shape[-1] == self.words:
            self.names.append((name, tuple(result.shape)))
        return result


@torch.no_grad()
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_head_is_read_once_for_all_texts_of_a_batch(decoder, precision):
    """And not once for each, as torch reads it for a slice of states where the head wants no gradient."""
    net = decoder.load().eval().requires_grad_(False)
    texts = [Encoded(tuple(range(5, end)), answer=2) for end in (9, 12, 15)]
    batch, products = collate(texts, 0, CPU), HeadProducts(net.config.vocab_size)
    alone = last_logits(net, collate(texts[-1:], 0, CPU), 1)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"), exact_logits(net), products:
        logits = last_logits(net, batch, 1)
    assert products.names == [("mm", (3, net.config.vocab_size))]
    if precision == "fp32":
        assert torch.allclose(logits[-1:], alone, atol=1e-5)


def test_a_head_that_does_not_train_is_read_once_for_a_step(decoder):
    net = decoder.load().train().requires_grad_(False)
    net.model.layers[-1].requires_grad_(True)
    batch = collate([Encoded(tuple(range(5, end)), answer=1) for end in (9, 12, 15)], 0, CPU)
    assert batch.targets is None  # all labels are
    with HeadProducts(net.config.vocab_size) as products:
        loss_sum(net, batch)
    assert products.names == [("mm", (3, net.config.vocab_size))]

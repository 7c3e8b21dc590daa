"""The model on this machine behind the interface: shared by processes or alone, the answers are the same."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from bench.inference.backend import Prompt
from bench.inference.local import LocalBackend
from bench.tasks.encoding import Encoding
from bench.tokens.encoded import Encoded


class Rank:
    """One of several processes, as a device is to a backend: it keeps what this process has answered."""

    def __init__(self, rank, world):
        self.rank, self.world, self.answered = rank, world, {}
        self.autocast, self.sharded = nullcontext, False

    def share(self, count):
        return list(range(self.rank, count, self.world))

    def gathered(self, part):
        assert not set(part) & set(self.answered)
        self.answered |= part
        return [answer for _, answer in sorted(part.items())]


def together(module, model, world, ask):
    """What all processes give, in the order of the requests."""
    ranks = [Rank(rank, world) for rank in range(world)]
    for rank in ranks:
        ask(LocalBackend(module, model, rank, tokens=200))
    merged = {index: answer for rank in ranks for index, answer in rank.answered.items()}
    assert sum(len(rank.answered) for rank in ranks) == len(merged)  # each request exactly once
    return [merged[index] for index in sorted(merged)]


@pytest.fixture(scope="module")
def requests():
    generator = torch.Generator().manual_seed(0)
    ids = [tuple(torch.randint(3, 1000, (3 + n % 7,), generator=generator).tolist()) for n in range(24)]
    return [(ids[n // 3], ids[n]) for n in range(24)]  # three continuations of each context


@pytest.mark.parametrize("world", [1, 2, 3])
def test_processes_share_likelihoods_and_none_reads_anothers_context(decoder, requests, world):
    module = decoder.load().eval()
    alone = LocalBackend(module, decoder, tokens=200).loglikelihoods(requests)
    shared = together(module, decoder, world, lambda backend: backend.loglikelihoods(requests))
    assert [found.total for found in shared] == pytest.approx([found.total for found in alone], abs=1e-4)
    assert [found.greedy for found in shared] == [found.greedy for found in alone]
    for rank in range(world):
        device = Rank(rank, world)
        LocalBackend(module, decoder, device, tokens=200).loglikelihoods(requests)
        assert set(device.answered) == {n for n in range(24) if (n // 3) % world == rank}


def test_processes_share_losses_and_texts_of_their_own(decoder, requests):
    module = decoder.load().eval()
    texts = [Encoded(context + continuation, answer=len(continuation)) for context, continuation in requests]
    alone = LocalBackend(module, decoder, tokens=200)
    shared = together(module, decoder, 2, lambda backend: backend.losses(texts))
    assert shared == pytest.approx(alone.losses(texts), abs=1e-4)
    prompts = [Prompt(context) for context, _ in requests[::3]]
    written = together(module, decoder, 2, lambda backend: backend.generate(prompts, 4, one_line=False))
    assert [text.text for text in written] == [text.text for text in alone.generate(prompts, 4, one_line=False)]


@pytest.mark.parametrize(("world", "beams"), [(1, 1), (2, 1), (3, 1), (None, 1), (None, 2)])
def test_references_are_judged_beside_texts_as_they_are_alone(decoder, requests, world, beams):
    """Whether beams forbid to read them together or not; a prompt without one has none."""
    module = decoder.load().eval()
    prompts = [Prompt(context, reference=(context, words) if n % 3 else None) for n, (context, words) in enumerate(requests)]

    def ask(backend):
        return backend.generate(prompts, 4, one_line=False, beams=beams)

    written = together(module, decoder, world, ask) if world else ask(LocalBackend(module, decoder))
    alone = LocalBackend(module, decoder).loglikelihoods([p.reference for p in prompts if p.reference])
    assert [text.reference.total for text in written if text.reference] == pytest.approx(
        [each.total for each in alone], abs=1e-4
    )
    assert [text.reference is None for text in written] == [not prompt.reference for prompt in prompts]


def test_processes_share_logits_and_embeddings_of_an_encoder(encoder):
    module = encoder.load(AutoModelForSequenceClassification, num_labels=2).eval()
    encoding = Encoding(encoder, 64)
    texts = [encoding.whole([text]) for text in ("a film", "a longer text about a film", "rain", "it rained all day", "no")]
    alone = LocalBackend(module, encoder, tokens=200)
    for ask in (lambda backend: backend.head_logits(texts), lambda backend: backend.embeddings(texts, every_layer=True)):
        shared = together(module, encoder, 2, ask)
        assert torch.allclose(torch.stack(shared), torch.stack(list(ask(alone))), atol=1e-5)


def test_a_process_without_a_request_answers_none(decoder):
    module = decoder.load().eval()
    device = Rank(1, 2)
    LocalBackend(module, decoder, device).losses([Encoded((5, 6, 7), answer=2)])
    assert device.answered == {}


def test_with_a_device_requests_are_answered_in_its_precision(decoder, requests):
    """A device in bf16 casts; without a device the module's own precision stays."""
    module, device = decoder.load().eval(), Rank(0, 1)
    device.autocast = lambda: torch.autocast("cpu", torch.bfloat16)
    exact = LocalBackend(module, decoder).loglikelihoods(requests[:3])
    cast = LocalBackend(module, decoder, device).loglikelihoods(requests[:3])
    assert [found.total for found in cast] != [found.total for found in exact]
    assert [found.total for found in cast] == pytest.approx([found.total for found in exact], rel=0.05)


def test_a_model_that_is_shared_out_is_asked_in_lockstep(decoder, requests):
    """Each pass is told to the other processes, and so is that none is left; the answers are the same."""
    module, device, told = decoder.load().eval(), Rank(0, 1), []
    device.sharded = True
    device.accelerator = SimpleNamespace(device=torch.device("cpu"), reduce=lambda flag: told.append(int(flag)) or flag)
    passes = []
    module.register_forward_hook(lambda *call: passes.append(call))
    alone = LocalBackend(module, decoder, tokens=200).loglikelihoods(requests)
    passes.clear()
    assert LocalBackend(module, decoder, device, tokens=200).loglikelihoods(requests) == alone
    assert told == [1] * len(passes) + [0] and len(passes) > 1


def test_it_can_do_what_its_family_can(decoder, encoder):
    assert LocalBackend(None, decoder).can == {"loglikelihoods", "losses", "generate", "embeddings"}
    assert LocalBackend(None, encoder).can == {"losses", "head_logits", "embeddings"}

import pytest
import torch

from bench.inference import likelihood as module
from bench.inference.likelihood import likelihoods, text_losses
from bench.tokens.encoded import Encoded


def one_by_one(model, context, continuation):
    """The definition: the log-probability of each continuation token given all before it, one request at a time."""
    ids = torch.tensor([[*context, *continuation]])
    with torch.no_grad():
        logits = model(ids).logits[0].double().log_softmax(-1)
    rows = logits[len(context) - 1 : -1]
    wanted = torch.tensor(continuation)
    return rows.gather(1, wanted[:, None]).sum().item(), bool((rows.argmax(-1) == wanted).all())


@pytest.fixture(scope="module")
def requests():
    generator = torch.Generator().manual_seed(0)

    def ids(low, high):
        length = int(torch.randint(low, high, (1,), generator=generator))
        return tuple(torch.randint(3, 1000, (length,), generator=generator).tolist())

    return [(ids(1, 40), ids(1, 6)) for _ in range(60)]


def test_batched_equals_one_by_one(decoder, requests):
    model = decoder.load().eval()
    for found, request in zip(likelihoods(model, requests, 0, 200), requests, strict=True):
        total, greedy = one_by_one(model, *request)
        assert found.total == pytest.approx(total, abs=1e-4)
        assert found.greedy == greedy
        assert len(found.nats) == len(request[1])


def test_a_shared_prefix_is_read_once_and_changes_nothing(decoder, requests):
    model = decoder.load().eval()
    prefix = tuple(range(10, 60))
    shared = [((*prefix, *context), continuation) for context, continuation in requests]
    read = []
    original = model.forward

    def counting(*args, **kwargs):
        read.append(kwargs["input_ids"].numel())
        return original(*args, **kwargs)

    counting.__signature__ = __import__("inspect").signature(original)
    model.forward = counting
    found = likelihoods(model, shared, 0, 2000)
    del model.forward
    assert sum(read) < sum(len(context) for context, _ in shared)
    for likelihood, request in zip(found, shared, strict=True):
        assert likelihood.total == pytest.approx(one_by_one(model, *request)[0], abs=1e-4)


def test_choices_branch_off_their_context(decoder, requests):
    model = decoder.load().eval()
    several = [(context, continuation) for context, _ in requests[:12] for _, continuation in requests[:4]]
    read = []
    hook = model.register_forward_pre_hook(lambda _, args, kwargs: read.append(kwargs["input_ids"].numel()), with_kwargs=True)
    found = likelihoods(model, several, 0, 200)
    hook.remove()
    assert sum(read) < sum(len(context) + len(continuation) for context, continuation in several)
    for likelihood, request in zip(found, several, strict=True):
        total, greedy = one_by_one(model, *request)
        assert likelihood.total == pytest.approx(total, abs=1e-4)
        assert likelihood.greedy == greedy


def test_answers_to_one_question_share_a_pass(decoder):
    model = decoder.load().eval()
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    found = likelihoods(model, [([5, 6, 7], [token]) for token in range(20, 30)], 0, 100)
    assert len(calls) == 1
    assert len({answer.total for answer in found}) == 10


def test_greedy_is_told(decoder):
    model = decoder.load().eval()
    with torch.no_grad():
        best = int(model(torch.tensor([[5, 6, 7]])).logits[0, -1].argmax())
    right, wrong = likelihoods(model, [([5, 6, 7], [best]), ([5, 6, 7], [best + 1])], 0, 100)
    assert right.greedy and not wrong.greedy


def test_many_long_choices_are_read_in_bounded_batches(decoder, requests):
    model = decoder.load().eval()
    fed = []
    hook = model.register_forward_pre_hook(lambda _, args, kwargs: fed.append(kwargs["input_ids"].numel()), with_kwargs=True)
    asked = [((5, 6), tuple(range(10 + n, 30 + n))) for n in range(40)]
    found = likelihoods(model, asked, 0, 100)
    hook.remove()
    assert max(fed) <= 100
    for likelihood, request in list(zip(found, asked, strict=True))[::7]:
        assert likelihood.total == pytest.approx(one_by_one(model, *request)[0], abs=1e-4)


def test_an_instruction_before_questions_and_a_question_before_its_choices_are_read_once(decoder, requests):
    """Also where one question is the beginning of another, choices begin alike, and a request comes twice."""
    model = decoder.load().eval()
    instruction, contexts = tuple(range(10, 60)), [context for context, _ in requests[:12]]
    asked = [((*instruction, *context), choice) for context in contexts for _, choice in requests[:5]]
    asked += [((*instruction, *contexts[0], 9), (9,)), ((*instruction, *contexts[1]), (*requests[0][1], 8)), asked[3]]
    asked += [((*instruction, *contexts[2]), (*range(300, 315), last, 5)) for last in range(20)]
    fed = []
    hook = model.register_forward_pre_hook(lambda _, args, kwargs: fed.append(kwargs["input_ids"].numel()), with_kwargs=True)
    found = likelihoods(model, asked, 0, 200)
    hook.remove()
    longest = max(map(len, contexts)) * len(contexts) + max(len(choice) for _, choice in asked) * len(asked)
    assert sum(fed) <= len(instruction) + longest  # all of it, padded, but nothing twice
    for likelihood, request in zip(found, asked, strict=True):
        total, greedy = one_by_one(model, *request)
        assert likelihood.total == pytest.approx(total, abs=1e-5)
        assert likelihood.greedy == greedy


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_what_is_read_once_is_rounded_as_what_is_read_whole(decoder, requests, monkeypatch, precision):
    model = decoder.load().eval()
    asked = [((*range(10, 60), *context), continuation) for context, continuation in requests]
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        shared = likelihoods(model, asked, 0, 400)
        monkeypatch.setattr(module, "caches", lambda model: False)
        whole = likelihoods(model, asked, 0, 400)
    allowed = 1e-5 if precision == torch.float32 else 0.2
    assert [found.total for found in shared] == pytest.approx([found.total for found in whole], abs=allowed)


def test_of_texts_logits_are_made_at_the_targets_alone(decoder, requests):
    """A window after a text's first is judged by its new tokens, beside others that are judged whole."""
    model = decoder.load().eval()
    texts = [Encoded((*context, *answer), answer=len(answer)) for context, answer in requests]
    texts += [Encoded(tuple(range(20, 60)), answer=39), Encoded(tuple(range(30, 60)), answer=29, silent=(3, 4, 5))]
    places = []
    hook = model.lm_head.register_forward_hook(lambda _, states, logits: places.append(logits[..., 0].numel()))
    found = text_losses(model, texts, 0, 2000)
    hook.remove()
    assert len(places) < len(texts) / 2 and sum(places) == sum(text.targets for text in texts)
    alone = [-one_by_one(model, *request)[0] for request in requests]
    assert found == pytest.approx([*alone, *[text_losses(model, [text], 0, 2000)[0] for text in texts[-2:]]], abs=1e-4)

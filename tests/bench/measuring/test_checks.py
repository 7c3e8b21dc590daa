"""The self-tests as a run makes them: what they let pass a run would let pass."""

from itertools import combinations
from types import SimpleNamespace
from unittest import mock

import pandas as pd
import peft
import pytest
import torch
import transformers

from bench.devices.memory import PeakMemory
from bench.inference.local import LocalBackend
from bench.measuring import checks
from bench.measuring.base_results import FIRST_ITEMS, BaseAnswers, BaseResults
from bench.measuring.evaluation import Evaluation
from bench.modeling import forward, models
from bench.probes.lm_loss import LmLoss
from bench.probes.similarity import Similarity
from bench.selftests.plain_answers import PlainAnswer
from bench.selftests.probe_tests import SelfTests
from bench.tasks.encoding import Encoding


@pytest.mark.slow
def test_a_probe_that_scores_the_token_just_read_does_not_excuse_itself(library, monkeypatch):
    """Its loss is worse than guessing, which must not look like a model that knows nothing."""
    model = models.find_model("smollm2", library)
    net, probe = model.load().eval(), LmLoss(library.probe("wikipedia"), Encoding(model, 64), 8)
    tests = SelfTests(probe, net)
    assert tests.knows_language and tests.shifted_labels_are_worse()
    sound = forward.token_losses

    def shifted(logits, labels, *smoothing):
        return sound(logits, labels.roll(1, dims=1), *smoothing)

    monkeypatch.setattr(forward, "token_losses", shifted)
    tests = SelfTests(probe, net)
    assert tests.knows_language and not tests.shifted_labels_are_worse()


@pytest.mark.parametrize(("fresh", "held"), [(True, True), (False, False)])
def test_an_adapter_that_is_no_identity_is_told_though_the_score_stands(library, encoder, device, fresh, held):
    """Of four pairs the AUC is the same with a random adapter; their cosines are not."""
    torch.manual_seed(0)
    probe = Similarity(library.probe("mrpc"), Encoding(encoder, 64), 16)
    net = encoder.load(transformers.AutoModel).eval()
    before = {"mrpc": probe.first(FIRST_ITEMS).measure(LocalBackend(net, encoder, device))}
    config = peft.LoraConfig(r=4, init_lora_weights=fresh, target_modules=["query", "value"])
    adapted = peft.get_peft_model(encoder.load(transformers.AutoModel), config).eval()
    session = SimpleNamespace(
        run=SimpleNamespace(model=encoder, strategy=SimpleNamespace(bits=8), checkpoint=encoder),
        probes=[probe],
        backend=lambda net: LocalBackend(net, encoder, device),
    )
    base = BaseResults(BaseAnswers(pd.DataFrame(), pd.DataFrame(), "plain"), first_items=before)
    assert checks.fresh_adapter(session, base, adapted) == {"mrpc: fresh adapter forgets nothing": held}


@pytest.mark.parametrize("held", [True, False])
def test_a_row_that_trains_nothing_is_held_to_the_base_number_by_number(library, encoder, device, held):
    """By a change far too small to move an AUC."""
    probe = Similarity(library.probe("mrpc"), Encoding(encoder, 64), 16)
    kept = probe.first(FIRST_ITEMS).measure(LocalBackend(encoder.load(transformers.AutoModel).eval(), encoder, device))
    now = kept.copy() if held else kept.assign(value=kept["value"] + 1e-7)
    session, elsewhere = SimpleNamespace(probes=[probe]), SimpleNamespace(module=lambda: None)
    asked = SimpleNamespace(probe_items=lambda probes, known: {"mrpc": kept})
    untouched = SimpleNamespace(asked=asked, loaded=elsewhere)

    def checked(items):
        return checks.untouched_row(session, untouched, Evaluation(pd.DataFrame(), probes={"mrpc": items}))

    assert checked(now) == {"untouched_forgets_nothing": held}
    assert checked(kept) == {}  # the first row, which measured what is kept
    asked = SimpleNamespace(probe_items=lambda probes, known: {"mrpc": kept, "new": known["new"]})
    two = SimpleNamespace(asked=asked, loaded=elsewhere)
    both = Evaluation(pd.DataFrame(), probes={"mrpc": now, "new": now})
    assert checks.untouched_row(session, two, both) == {"untouched_forgets_nothing": held}  # of the one that was kept before


@pytest.mark.parametrize(
    ("first", "second", "closeness", "same"),
    [
        (0.5, 0.5009, checks.IN_FP32, True),
        (0.5, 0.51, checks.IN_FP32, False),
        (0.5, 0.54, checks.IN_BF16, True),  # .16 nats
        (0.5, 0.56, checks.IN_BF16, False),  # .24
        (0.55, 0.76, checks.QUANTISED, True),  # .95
        (0.5, 0.76, checks.QUANTISED, False),  # 1.15
        (0.999, 0.91, checks.QUANTISED, True),  # near each other, though the odds are not
        (1.0, 0.95, checks.IN_BF16, False),  # no odds
        (0.0, 0.02, checks.IN_BF16, True),
    ],
)
def test_probabilities_are_alike_by_their_size_or_their_odds(first, second, closeness, same):
    assert checks.as_likely(first, second, closeness) is checks.as_likely(second, first, closeness) is same


@pytest.mark.parametrize(
    ("closeness", "count", "read", "moved", "agrees"),
    [
        (checks.IN_BF16, 4, 4, 0, True),
        (checks.IN_BF16, 4, 4, 1, False),
        (checks.IN_BF16, 1, 1, 1, False),
        (checks.QUANTISED, 4, 6, 1, True),
        (checks.QUANTISED, 4, 6, 2, False),
        (checks.QUANTISED, 1, 3, 1, True),
        (checks.QUANTISED, 1, 3, 2, False),
    ],
)
def test_in_8_bit_one_answer_may_be_astray_where_most_agree(monkeypatch, closeness, count, read, moved, agrees):
    """In whatever place it stands. The gold answers are those of the examples in any case."""
    again = []
    monkeypatch.setattr(checks, "PlainReader", lambda *_: None)
    monkeypatch.setattr(checks, "plain_answer", lambda asked, at, *_: again.append(at) or PlainAnswer("good", 0.9, 2.2))
    examples = [SimpleNamespace(fields={"text": "a" * length}, gold="good") for length in range(1, 11)]
    task = SimpleNamespace(spec=SimpleNamespace(labels=["bad", "good"]), asks="rank")
    asked, session = SimpleNamespace(examples=examples, task=task), SimpleNamespace(run=mock.MagicMock(), device=None)
    frame = pd.DataFrame({"gold": "good", "prediction": "good", "confidence": 0.9}, index=range(10))

    def agree(frame):
        again.clear()
        return checks.answers_agree(session, asked, frame, None, count, closeness)

    assert agree(frame) and len(again) == read
    for places in combinations(sorted(again), moved):
        assert agree(frame.assign(confidence=[0.3 if place in places else 0.9 for place in range(10)])) is agrees
    assert not agree(frame.assign(gold=["bad" if place == again[0] else "good" for place in range(10)]))
    examples[1:] = []  # of which one would be all
    assert agree(frame) and not agree(frame.assign(confidence=0.3))


@pytest.mark.parametrize(
    ("readable", "read"), [(range(10), [0, 3, 6, 9]), (range(6), [0, 3, 4, 5]), (range(8, 10), [8, 9]), ([], None)]
)
def test_instead_of_an_answer_that_has_no_plain_reading_the_next_is_read(monkeypatch, readable, read):
    """The next shorter one, or else the next longer; where there is none at all, nothing is claimed."""
    monkeypatch.setattr(checks, "PlainReader", lambda *_: None)
    monkeypatch.setattr(checks, "plain_answer", lambda asked, at, *_: PlainAnswer("good", 0.9, 2.2) if at in readable else None)
    examples = [SimpleNamespace(fields={"text": "a" * length}, gold="good") for length in range(1, 11)]
    task = SimpleNamespace(spec=SimpleNamespace(labels=["bad", "good"]), asks="rank")
    asked, session = SimpleNamespace(examples=examples, task=task), SimpleNamespace(run=mock.MagicMock(), device=None)

    def agree(wrong):
        said = ["bad" if place in wrong else "good" for place in range(10)]
        frame = pd.DataFrame({"gold": "good", "prediction": said, "confidence": 0.9})
        return checks.answers_agree(session, asked, frame, None, 4, checks.IN_FP32)

    assert agree([]) is (None if read is None else True)
    for place in range(10):
        assert agree([place]) is (None if read is None else place not in read)


@pytest.mark.parametrize(
    ("weighs", "shows"),
    [
        pytest.param(1.0, True, id="moves answers at once"),
        pytest.param(0.1, True, id="less than is rounded to"),
        pytest.param(0.0, False, id="takes no part"),
    ],
)
def test_noise_is_made_stronger_where_it_does_not_show(monkeypatch, weighs, shows):
    matrix = torch.nn.Parameter(torch.arange(4.0).view(2, 2))

    def rounded(*_):
        return pd.DataFrame({"confidence": [round(0.5 + 0.1 * weighs * float(matrix[0, 0]), 1)]})

    monkeypatch.setattr(checks, "predict", rounded)
    before = matrix.tolist()
    assert checks._noise_shows(None, None, [], "backbone", [matrix]) == {"noise on the trained backbone changes answers": shows}
    assert matrix.tolist() == before


@torch.no_grad()
def test_a_bias_that_bitsandbytes_casts_has_stayed_and_one_that_moved_has_not(encoder):
    net = encoder.load(transformers.AutoModel, bits=8).eval().requires_grad_(False)
    before = checks.frozen_sums(net)
    with torch.autocast("cpu", torch.bfloat16):
        net(input_ids=torch.tensor([[101, 2023, 2003, 102]]))
    assert checks.frozen_sums(net) == before
    bias = net.encoder.layer[-1].output.dense.bias
    bias += 0.01
    changed = {name for name, total in checks.frozen_sums(net).items() if total != before[name]}
    assert changed == {"encoder.layer.1.output.dense.bias"}


def test_what_is_held_while_frozen_weights_are_added_up_is_little():
    """It is done within a run, whose memory is measured."""
    net = torch.nn.Linear(8192, 4096, bias=False).requires_grad_(False)
    peak = PeakMemory(False)
    assert checks.frozen_sums(net) and peak.bytes() < net.weight.nbytes  # in 64 bits it is twice as large


@pytest.mark.parametrize(
    ("name", "family", "nats"),
    [("lambada", "decoder", 1.0), ("arc-easy", "decoder", 1.0), ("wikipedia", "decoder", 0.0), ("drift", "encoder", 0.0)],
)
def test_sums_over_a_texts_tokens_may_move_by_nats(library, decoding, encoder, made, name, family, nats):
    probe = made(library.probe(name), decoding if family == "decoder" else Encoding(encoder, 64), 4)
    assert checks._nats(probe, checks.QUANTISED) == nats

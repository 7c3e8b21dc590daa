"""The checks of every run, beside the probes' self-tests: a fresh adapter changes nothing, frozen weights stay, a few answers
that plain code reads once more are the same, and noise on what was trained shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from bench.inference.backend import Backend
from bench.inference.evalset import EvalSet
from bench.inference.predictions import predict
from bench.measuring.base_results import FIRST_ITEMS, BaseResults
from bench.measuring.evaluation import Evaluation, Session, as_base
from bench.measuring.untouched import Untouched
from bench.modeling.forward import prompt_learning, unwrapped
from bench.modeling.replay.fixed_blocks import replays
from bench.modeling.structure import layers
from bench.modeling.weights import full_tensor, numel, shape, shared_out
from bench.probes.base import Probe
from bench.probes.linear_probe import LinearProbe
from bench.selftests.plain_answers import PlainAnswer, plain_answer
from bench.selftests.plain_items import plain_items
from bench.selftests.plain_reader import PlainReader
from bench.selftests.probe_tests import DAMAGE, noise, numbers_differ, plain_numbers_agree, same_numbers


@dataclass(frozen=True)
class Closeness:
    """How far two readings of one text may be apart, for no other reason than that they are rounded otherwise."""

    share: float
    """Of a number's size; of a probability and of a cosine, as it is."""
    nats: float
    """By which the odds of a choice and the log-likelihood of an answer may move. A choice by less may turn into another."""
    strays: int = 0
    """Of the answers that are read again, so many may be further apart. For each two more are read, so that most must agree."""


IN_FP32 = Closeness(share=1e-3, nats=1e-3)
"""In fp32."""
IN_BF16 = Closeness(share=0.03, nats=0.2)
"""In bf16. SmolLM2's numbers moved by up to .011 of their size, and the odds of 64 labels by up to .06 nats."""
QUANTISED = Closeness(share=0.1, nats=1.0, strays=1)
"""In 8 bit, and in 4, for which nothing was measured: LLM.int8 rounds by the columns that are large in any text of a batch. In
another batch SmolLM2 moved the odds of 64 labels by up to .6 nats (a probability by .15), and six tokens together by up to .7.
A review of two words, read alone, went further, and so did one of four translations."""
ANSWERS = 4
"""Of the test set, from the shortest to the longest, which are read a second time one by one."""
PROBED = 2
"""Items of each probe that are read a second time after training."""
MATRICES = 4
"""Trained weight matrices that are damaged, the last ones."""
NOISE = (DAMAGE[-1], 10 * DAMAGE[-1])
"""Its strengths, in standard deviations of the matrix. An adapter in 8 bit that has hardly learned moves the numbers behind it
by less than they are rounded to; one that takes no part moves nothing at any strength."""
SUMMED_AT_ONCE = 2**22
"""Numbers of a weight that are added up at once."""


def fresh_adapter(session: Session, base: BaseResults, adapted: nn.Module) -> dict[str, bool]:
    """Whether the adapted model, before any training, gives each probe's first items as the base does, number by number: a
    score of few items would often stand while they move; and whether it answers the task's examples as the base is kept to.

    Prompt and prefix tuning put something before every text, and are no identity when they are fresh: there the base
    under it is asked, unless it is shared out among processes, which only ask a model as a whole.
    """
    virtual = prompt_learning(adapted)
    if virtual and shared_out(adapted):
        return {}
    asked_model = unwrapped(adapted) if virtual else adapted
    backend = session.backend(asked_model)
    words = "the base is itself under its virtual tokens" if virtual else "fresh adapter forgets nothing"
    # The same computation on the same batch rounds alike, also in bf16; but blocks that are replayed have read each text alone.
    closeness = IN_BF16 if replays(adapted) and session.device.precision == "bf16" else IN_FP32
    checks: dict[str, bool | None] = {}
    for probe in session.probes:
        before, now = base.first_items[probe.spec.name], probe.first(FIRST_ITEMS).measure(backend)
        checks[f"{probe.spec.name}: {words}"] = same_numbers(before, now, closeness.share, _nats(probe, closeness))
    if session.run.strategy.bits == 32 == session.run.checkpoint.reference_bits:  # in which the base answers to the task
        evalset = as_base(session.sets.test, session.run.in_base_words(session.run.wording))
        checks["base answers as it is kept"] = _as_base_answers(session, evalset, base.test.same, asked_model)
    return _made_checks(checks)


def untouched_row(session: Session, untouched: Untouched, evaluation: Evaluation) -> dict[str, bool]:
    """Whether a row that trains nothing gives each probe's first items exactly as the base that all rows are held against, and
    whether its answers are those of a plain reading.

    Of a probe that nobody was asked before, the answers are what others are held against, which proves nothing and is no check.
    """
    now, checks = evaluation.probes, dict[str, bool | None]()
    kept = untouched.asked.probe_items([probe.first(FIRST_ITEMS) for probe in session.probes], known=now)
    if (module := untouched.loaded.module()) is not None:  # of what is answered elsewhere nothing can be read a second time
        checks["answers are the model's own"] = _as_base_answers(session, session.sets.test, evaluation.test, module)
    older = [name for name in now if kept[name] is not now[name]]  # the others are kept from now on
    if older:
        checks["untouched_forgets_nothing"] = all(same_numbers(kept[name], now[name], tolerance=0) for name in older)
    return _made_checks(checks)


def _made_checks(checks: Mapping[str, bool | None]) -> dict[str, bool]:
    """Without checks that had nothing to read."""
    return {name: holds for name, holds in checks.items() if holds is not None}


def _as_base_answers(session: Session, evalset: EvalSet, answers: pd.DataFrame, module: nn.Module) -> bool | None:
    """Whether the untouched model's answers are those of a plain reading, in the precision in which it was asked: its reference
    precision, without a cast. Read in bf16, SmolLM2 turned from a first token that it had chosen to another by .29 nats."""
    uncast = replace(session.device, precision="fp32")
    closeness = IN_FP32 if session.run.checkpoint.reference_bits == 32 else IN_BF16
    return answers_agree(replace(session, device=uncast), evalset, answers, module, closeness=closeness)


def frozen_sums(model: nn.Module) -> dict[str, float]:
    """The sum of each weight that is not trained. 4-bit ones (uint8) are left out, since bitsandbytes unpacks them in place."""
    frozen_weights = {name: weight for name, weight in model.named_parameters() if not weight.requires_grad and numel(weight)}
    return {name: _sum_in_parts(full_tensor(weight)) for name, weight in frozen_weights.items() if weight.dtype != torch.uint8}


def _sum_in_parts(weight: torch.Tensor) -> float:
    """In parts: torch would convert the whole to 64 bits first, which would count as the run's memory."""
    wide = torch.float64 if weight.is_floating_point() else torch.int64
    return float(sum(part.sum(dtype=wide) for part in weight.reshape(-1).split(SUMMED_AT_ONCE)))


def trained_model(session: Session, model: nn.Module, after: Evaluation, frozen: dict[str, float]) -> dict[str, bool]:
    """Whether what the trained model was found to answer is what it answers: read a second time, plainly; and whether what was
    trained takes part in it, and what was not has stayed as it was.

    Args:
        frozen: `frozen_sums` of the model before it was trained.
    """
    sets = session.sets
    sums_after = {name: total for name, total in frozen_sums(model).items() if name in frozen}
    checks: dict[str, bool | None] = {
        "answers are the model's own": answers_agree(session, sets.test, after.test, model),
        "frozen weights stay": all(total == frozen[name] for name, total in sums_after.items()),
    }
    for name, frame in after.elsewhere.items():
        checks[f"{name}: answers are the model's own"] = answers_agree(session, sets.elsewhere[name], frame, model, count=1)
    reader = PlainReader(model, session.run.checkpoint, session.device)
    for probe in session.probes:
        if not isinstance(probe, LinearProbe):  # of which an item hangs on all training rows
            part, measured = probe.first(PROBED), after.probes[probe.spec.name][:PROBED]
            plain, closeness = pd.DataFrame(plain_items(part, reader)), _closeness(session, session.run.strategy.bits)
            if closeness != IN_FP32:  # of a close choice rounding in another batch may make another
                plain = plain.drop(columns=["prediction", "right"], errors="ignore")
            agree = plain_numbers_agree(measured, plain, closeness.share, _nats(probe, closeness))
            checks[f"{probe.spec.name}: items are the model's own"] = agree
    return _made_checks(checks) | _training_shows(session, model, [n for n, _ in model.named_parameters() if n not in frozen])


def _training_shows(session: Session, model: nn.Module, trained_names: Sequence[str]) -> dict[str, bool]:
    """Whether noise on what was trained makes other answers: on its backbone and virtual tokens also of the probes. What was
    trained is known by name, since an adapter that is switched off no longer says that it wants gradients.
    """
    checks: dict[str, bool] = {}
    backend = session.backend(model)
    evalset, probes = replace(session.sets.test, items=2), [probe.movable().first(PROBED) for probe in session.probes]
    inside = {id(weight) for weight in layers(model).parameters()}
    named = dict(model.named_parameters())
    matrices = [(n, named[n]) for n in trained_names if len(shape(named[n])) > 1 and named[n].is_floating_point()]
    backbone_weights = [w for name, w in matrices if id(w) in inside or "prompt_encoder" in name][-MATRICES:]
    # Of several heads all, since only one of them is asked.
    others = [w for name, w in matrices if id(w) not in inside and "prompt_encoder" not in name and "embed" not in name]
    if backbone_weights:
        checks |= _noise_shows(backend, evalset, probes, "backbone", backbone_weights)
    if others and session.run.model.family == "encoder":
        checks |= _noise_shows(backend, evalset, [], "head", others)
    return checks


def _noise_shows(
    backend: Backend, evalset: EvalSet, probes: Sequence[Probe], where: str, matrices: Sequence[nn.Parameter]
) -> dict[str, bool]:
    """Whether noise on these matrices changes the set's answers, and each probe's numbers, at one of the strengths."""

    def measured() -> tuple[list[float], list[pd.DataFrame]]:
        return predict(backend, evalset)["confidence"].tolist(), [probe.measure(backend) for probe in probes]

    checks: dict[str, bool] = {}
    confidences, items = measured()
    for strength in NOISE:
        with noise(matrices, strength):
            now_confidences, now_items = measured()
        # A model that is as sure as can be stays so; it has collapsed, and is told for that.
        if not set(confidences) <= {0.0, 1.0}:
            answers = f"noise on the trained {where} changes answers"
            checks[answers] = checks.get(answers, False) or confidences != now_confidences
        for probe, old, new in zip(probes, items, now_items, strict=True):
            name = f"{probe.spec.name}: noise on the trained {where} shows"
            checks[name] = checks.get(name, False) or numbers_differ(old, new)
        if all(checks.values()):
            break
    return checks


def answers_agree(
    session: Session,
    evalset: EvalSet,
    frame: pd.DataFrame,
    module: nn.Module,
    count: int = ANSWERS,
    closeness: Closeness | None = None,
) -> bool | None:
    """Whether a few of the predictions are those of the module read plainly: their probability, and what they say; within what
    the run's own rounding allows, where nothing else is given. None where no item has a plain reading."""
    closeness = closeness or _closeness(session, session.run.strategy.bits)
    reader, labels = PlainReader(module, session.run.checkpoint, session.device), evalset.task.spec.labels
    by_length = sorted(range(len(evalset.examples)), key=lambda at: sum(map(len, evalset.examples[at].fields.values())))
    count = min(count + 2 * closeness.strays, len(by_length))
    chosen = [by_length[int(place)] for place in np.linspace(0, len(by_length) - 1, count)]
    answers = _read_again(evalset, frame, reader, by_length, chosen)
    for index in {*chosen, *(index for index, _ in answers)}:
        if _plain_list(frame.iloc[index]["gold"]) != _plain_list(evalset.examples[index].gold):
            return False
    if not answers:
        return None
    # Rounding turns a close choice between labels round now and then, but not one after the other, of so few.
    turned = sum(answer.value in labels and not _says_same(evalset, index, frame, answer) for index, answer in answers)
    astray = sum(not _item_agrees(evalset, index, frame, answer, closeness) for index, answer in answers)
    return turned <= 1 + closeness.strays and astray <= (closeness.strays if len(answers) > 2 * closeness.strays else 0)


def _read_again(
    evalset: EvalSet, frame: pd.DataFrame, reader: PlainReader, by_length: list[int], chosen: Sequence[int]
) -> list[tuple[int, PlainAnswer]]:
    """Plain readings of the chosen items. Instead of one that has none, since it takes several windows, the next shorter one is
    read, or else the next longer."""
    tried: dict[int, PlainAnswer | None] = {}
    for place in map(by_length.index, chosen):
        for index in (*reversed(by_length[: place + 1]), *by_length[place + 1 :]):
            if index not in tried:
                tried[index] = plain_answer(evalset, index, reader, frame.iloc[index]["prediction"])
                if tried[index]:
                    break
    return sorted((index, answer) for index, answer in tried.items() if answer)


def _says_same(evalset: EvalSet, index: int, frame: pd.DataFrame, answer: PlainAnswer) -> bool:
    value = evalset.task.wrong(evalset.examples[index]) if answer.value is None else answer.value
    return _plain_list(frame.iloc[index]["prediction"]) == _plain_list(value)


def _item_agrees(evalset: EvalSet, index: int, frame: pd.DataFrame, answer: PlainAnswer, closeness: Closeness) -> bool:
    row, labels = frame.iloc[index], evalset.task.spec.labels
    if not _loss_agrees(row, answer, closeness):
        return False
    if evalset.task.asks == "read":
        same_value = bool(np.allclose(row["prediction"], answer.value, rtol=closeness.share))
    else:
        same_value = _says_same(evalset, index, frame, answer)
    turned = not same_value and len(labels) == 2 and answer.value in labels  # so that it is known how likely the other label is
    agrees = as_likely(1 - row["confidence"] if turned else row["confidence"], answer.confidence, closeness)
    # Of a close choice rounding may make another, after which a text goes on otherwise.
    if answer.steps and not (same_value and agrees):
        return answer.margin_before(row["prediction"]) < closeness.nats
    return agrees and (same_value or answer.margin < (closeness.nats if answer.in_nats else closeness.share))


def _loss_agrees(row: pd.Series, answer: PlainAnswer, closeness: Closeness) -> bool:
    """Whether the reference is as unlikely as it was found, where it was read again."""
    if answer.reference_loss is None:
        return True
    allowed = max(closeness.nats, closeness.share * (1 + answer.reference_loss))
    return bool(abs(row.get("reference_loss", np.nan) - answer.reference_loss) <= allowed)


def as_likely(first: float, second: float, closeness: Closeness) -> bool:
    """Whether two probabilities may be of one answer: they are near each other, or their odds are. Near 0 and 1 the odds move
    far while the probabilities stand, and around .5 a nat is worth a quarter."""
    if abs(first - second) <= closeness.share:
        return True
    return 0 < first < 1 and 0 < second < 1 and abs(_logit(first) - _logit(second)) <= closeness.nats


def _logit(probability: float) -> float:
    return log(probability / (1 - probability))


def _plain_list(value: Any) -> Any:
    return value if isinstance(value, str) else list(value)


def _nats(probe: Probe, closeness: Closeness) -> float:
    """By which a probe's value may move where it is a sum over a text's tokens, or the difference of two."""
    return closeness.nats if probe.uses == "loglikelihoods" else 0.0


def _closeness(session: Session, bits: int) -> Closeness:
    """Of a model whose weights have so many bits."""
    if bits < 16:
        return QUANTISED
    return IN_FP32 if bits == 32 and session.device.precision == "fp32" else IN_BF16

"""From predictions before and after to a record's numbers: scores, gains, forgetting, the spread over wordings, stages."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.inference.backend import Backend
from bench.inference.evalset import EvalSet
from bench.inference.predictions import predict
from bench.measuring import contamination
from bench.measuring.base_results import BaseAnswers, BaseResults
from bench.measuring.evaluation import Evaluation, Session
from bench.measuring.scoring import rise, scores, value, worth
from bench.metrics import counted
from bench.metrics.mentions import PARTS
from bench.metrics.rate import RATES
from bench.probes.base import ACCURACY, Probe, columns
from bench.records.outcome import BestBase, Delta, Elsewhere, Forgetting, Gain, Pair, Point, Robustness, Stages
from bench.statistics.estimates import verdict
from bench.statistics.intervals import of_one_model, rise_over
from bench.statistics.jackknife import clusters_of
from bench.statistics.probed import RANKINGS, of_probe, of_shares


def of_task(evalset: EvalSet, before: BaseAnswers, after: pd.DataFrame, trained: bool) -> dict[str, Any]:
    """The record's fields on the task itself, and beside its metrics the rates of answers and items that a reader should know
    of before the score. `trained` says whether training lies between the base's answers and those after."""
    names = evalset.task.spec.metrics
    metrics = scores(after, [*names, *(PARTS if "seen" in after else ())])
    for rate in RATES:
        if rate in after:
            known = after[after[rate].notna()]
            # A rate is the mean of its own column, and is compared with no gold.
            metrics |= scores(known.assign(prediction=known[rate].astype(float), gold=""), [rate])
    gain, best_gain = (_gain_over_items(after, base, names[0], trained) for base in (before.same, before.best))
    best = BestBase(style=before.best_style, score=value(before.best, names[0]), gain=best_gain)
    return {
        "metrics": metrics,
        "signatures": _signatures(names, after["gold"].tolist()),
        "score": metrics[names[0]],
        "base_score": value(before.same, names[0]),
        "gain": gain,
        "best_base": best,
    }


def _signatures(names: Sequence[str], golds: list[Any]) -> dict[str, str]:
    signatures = {name: counted(name).signature(golds) for name in names}
    return {name: text for name, text in signatures.items() if text}


def _gain_over_items(after: pd.DataFrame, before: pd.DataFrame, name: str, trained: bool) -> Gain:
    gain, low, high = rise(after, before, name, trained)
    return Gain(value=gain, ci_low=low, ci_high=high)


def elsewhere(session: Session, before: BaseResults, after: Evaluation) -> dict[str, Elsewhere]:
    """Score and gain on other tasks and domains."""
    away = {}
    for name, frame in after.elsewhere.items():
        fields = of_task(session.sets.elsewhere[name], before.elsewhere[name], frame, session.run.strategy.trains)
        away[name] = Elsewhere(**{field: fields[field] for field in Elsewhere.model_fields if field in fields})
    return away


def robustness(evalset: EvalSet, after: Evaluation) -> Robustness | None:
    """The score under each unseen instruction, on the same items."""
    if not after.paraphrases:
        return None
    name = evalset.task.spec.metrics[0]
    values = [scores(frame, [name])[name] for frame in after.paraphrases]
    wordings = evalset.task.spec.paraphrases("test")
    return Robustness(scores=dict(zip(wordings, values, strict=True)))


def forgetting(session: Session, before: BaseResults, after: Evaluation) -> dict[str, Forgetting]:
    """Each probe's loss by training, and by rounding the base where it was rounded."""
    return {
        probe.spec.name: _forgetting_of_probe(probe, before, after, session.run.strategy.trains) for probe in session.probes
    }


def contaminated(session: Session) -> dict[str, int]:
    """Each probe's items that share a passage with what was trained on; empty for rows that train nothing."""
    return contamination.contaminated_items(session.run, session.probes) if session.run.strategy.trains else {}


def _forgetting_of_probe(probe: Probe, before: BaseResults, after: Evaluation, trained: bool) -> Forgetting:
    name = probe.spec.name
    old, new = before.probes[name], after.probes[name]
    lost = _lost_score(probe, old, new)
    score_before, score_after = probe.scores(columns(old), columns(new))
    return Forgetting(
        value_name=probe.value,
        higher_is_better=probe.higher_is_better,
        share=probe.share,
        before=score_before,
        after=score_after,
        others={name: Pair(before=a, after=b) for name, (a, b) in probe.others(columns(old), columns(new)).items()},
        delta=lost.value,
        ci_low=lost.ci_low,
        ci_high=lost.ci_high,
        n=len(old),
        verdict=verdict(lost.ci_low, lost.ci_high),
        quantisation=_lost_score(probe, old, before.rounded[name]) if before.rounded else None,
        accuracy_lost=_lost_accuracy(old, new, trained) if "right" in old else None,
    )


def _lost_accuracy(before: pd.DataFrame, after: pd.DataFrame, trained: bool) -> Delta:
    clusters = clusters_of(before.get("cluster"), len(before))
    old, new = (of_shares(frame["right"].to_numpy(dtype=np.float64)[None], clusters) for frame in (before, after))
    lost = rise_over(old, new, "wilson", trained)
    low, high = of_one_model(lost)
    return Delta(value=float(lost.values[0]) + 0.0, ci_low=low, ci_high=high)


def _lost_score(probe: Probe, before: pd.DataFrame, after: pd.DataFrame) -> Delta:
    if not probe.directed:
        return Delta(value=delta(probe, before, after))
    gold = np.asarray(before["gold"], dtype=np.float64) if probe.value in RANKINGS else None
    clusters = clusters_of(before.get("cluster"), len(before))
    old, new = (
        of_probe(
            probe.value,
            frame["value"].to_numpy(dtype=np.float64)[None],
            frame["weight"].to_numpy(dtype=np.float64),
            gold,
            clusters,
        )
        for frame in (before, after)
    )
    low, high = of_one_model((old - new) * (1.0 if probe.higher_is_better else -1.0))
    # Of a ranking with one item of a class nothing is known of other items.
    ends = {"ci_low": low, "ci_high": high} if np.isfinite([low, high]).all() else {}
    return Delta(value=delta(probe, before, after), **ends)


def delta(probe: Probe, before: pd.DataFrame, after: pd.DataFrame) -> float:
    """What was lost, positive where it is a loss."""
    old, new = probe.scores(columns(before), columns(after))
    return (old - new if probe.higher_is_better else new - old) + 0.0  # -0.0 becomes 0.0


def relative_forgetting(probes: Sequence[Probe], forgotten: dict[str, Forgetting]) -> float | None:
    """The mean relative loss in per cent (Luo et al. 2023, equation 2), over probes whose score or accuracy is a share: a ratio
    of two log-likelihoods would mean nothing, and so would one to a correlation below 0.
    """
    scored = [forgotten[probe.spec.name] for probe in probes if probe.directed]
    pairs: list[Forgetting | Pair] = [probe if probe.share else probe.others[ACCURACY] for probe in scored if _has_share(probe)]
    known = [(pair.before, pair.after) for pair in pairs if pair.before is not None and pair.after is not None]
    # A probe of which the base knew nothing has nothing to lose, and no share of it.
    lost = [(before - after) / before for before, after in known if before > 0]
    return 100 * sum(lost) / len(lost) if lost else None


def _has_share(forgotten: Forgetting) -> bool:
    return forgotten.share or ACCURACY in forgotten.others


def point(session: Session, base: BaseResults, backend: Backend, steps: int, examples: int) -> Point:
    """Where a run stands after so many steps and examples over all stages."""
    assert base.validation is not None
    name = session.run.task.metrics[0]
    after = predict(backend, session.sets.validation)
    gain, _, _ = rise(after, base.validation, name)
    lost = {p.spec.name: delta(p, base.probes[p.spec.name], p.measure(backend)) for p in session.probes}
    return Point(step=steps, examples=examples, score=value(after, name), gain=gain, forgetting=lost)


def stage_scores(evalsets: Sequence[EvalSet], answers: Sequence[pd.DataFrame]) -> list[float]:
    """The score on each stage's test set, more being better."""
    return [worth(frame, evalset.task.spec.metrics[0]) for evalset, frame in zip(evalsets, answers, strict=True)]


def stages(tasks: Sequence[str], base: Sequence[float], scores_after: Sequence[Sequence[float]]) -> Stages:
    """The measures of training on one task after another; `scores_after` has a row per stage, each a score per task."""
    last = len(tasks) - 1
    ends = [scores_after[last][j] - scores_after[j][j] for j in range(last)]
    ahead = [scores_after[j - 1][j] - base[j] for j in range(1, last + 1)]
    lost = [max(scores_after[i][j] for i in range(last)) - scores_after[last][j] for j in range(last)]
    backward, forward, forgotten = (sum(values) / last for values in (ends, ahead, lost))
    return Stages(
        tasks=list(tasks),
        base=list(base),
        scores=[list(row) for row in scores_after],
        backward_transfer=backward,
        forward_transfer=forward,
        forgetting=forgotten,
    )

"""From answers before and after to a record's numbers: scores, gains, forgetting, the spread over wordings, and self-tests."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from bench.answers import Answers, Questions
from bench.evaluation import Asked
from bench.probes import Probe
from bench.records import Elsewhere, Forgetting, Robustness, as_text
from bench.scoring import rise, scores
from bench.statistics import interval


def of_task(asked: Asked, before: pd.DataFrame, after: pd.DataFrame) -> dict[str, Any]:
    """The record's fields on the task itself; what a decoder writes also has its rate of malformed answers."""
    names = asked.task.spec.metrics
    found = scores(after, names)
    if "malformed" in after:
        wrong = after.assign(prediction=after["malformed"].astype(float), gold="")
        found |= scores(wrong, ["malformed"])
    gain, low, high = rise(after, before, names[0])
    base = scores(before, names[:1])[names[0]].value
    return {
        "metrics": found,
        "score": found[names[0]],
        "base_score": base,
        "gain": gain,
        "gain_ci_low": low,
        "gain_ci_high": high,
    }


def elsewhere(questions: Questions, before: Answers, after: Answers) -> dict[str, Elsewhere]:
    """Score and gain on other tasks and domains."""
    found = {}
    for name, frame in after.elsewhere.items():
        fields = of_task(questions.elsewhere[name], before.elsewhere[name], frame)
        found[name] = Elsewhere(**{field: fields[field] for field in Elsewhere.model_fields if field in fields})
    return found


def robustness(asked: Asked, after: Answers) -> Robustness | None:
    """The score under each unseen instruction, on the same items."""
    if len(after.paraphrases) < 2:
        return None
    name = asked.task.spec.metrics[0]
    values = [scores(frame, [name])[name] for frame in after.paraphrases]
    wordings = asked.task.spec.paraphrases("test")
    return Robustness(scores=dict(zip(wordings, values, strict=True)))


def forgetting(probes: Sequence[Probe], before: Answers, after: Answers) -> dict[str, Forgetting]:
    return {p.spec.name: _forgetting(p, before.probes[p.spec.name], after.probes[p.spec.name]) for p in probes}


def _forgetting(probe: Probe, before: pd.DataFrame, after: pd.DataFrame) -> Forgetting:
    sign = 1.0 if probe.higher_is_better else -1.0
    old, new = ({str(name): frame[name].to_numpy() for name in frame} for frame in (before, after))

    def lost(i: Any) -> float:
        return sign * (probe.score({n: v[i] for n, v in old.items()}) - probe.score({n: v[i] for n, v in new.items()}))

    everything = slice(None)
    low, high = interval(lost, len(before))
    return Forgetting(
        value_name=probe.value,
        higher_is_better=probe.higher_is_better,
        share=probe.share,
        before=probe.score(old),
        after=probe.score(new),
        delta=lost(everything) + 0.0,  # -0.0 becomes 0.0
        ci_low=low,
        ci_high=high,
        n=len(before),
    )


def checks(trains: bool, before: Answers, after: Answers, found: dict[str, Forgetting]) -> dict[str, bool]:
    """A row that trains nothing has the base model itself, measured again: whatever it forgets is a fault of ours.

    The first such row measures what the others are held against, which proves nothing and is no check.
    """
    if trains or not found or any(before.probes[name] is after.probes[name] for name in after.probes):
        return {}
    return {"untouched_forgets_nothing": all(lost.delta == 0 for lost in found.values())}


def items(task: str, before: Answers, after: Answers) -> pd.DataFrame:
    """All that was measured per item, in one long table; answers that are no text are JSON."""
    frames = [_answers("task", task, before.task, after.task)]
    frames += [_answers("elsewhere", name, before.elsewhere[name], frame) for name, frame in after.elsewhere.items()]
    for name, frame in after.probes.items():
        numbered = frame.assign(kind="probe", name=name, item=[str(i) for i in range(len(frame))])
        frames.append(numbered.assign(before_value=before.probes[name]["value"]))
    columns = [
        "kind",
        "name",
        "item",
        "gold",
        "before",
        "prediction",
        "confidence",
        "malformed",
        "before_value",
        "value",
        "weight",
    ]
    return pd.concat(frames, ignore_index=True).reindex(columns=columns)


def _answers(kind: str, name: str, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    texts = {"gold": after["gold"].map(as_text), "prediction": after["prediction"].map(as_text)}
    return after.assign(kind=kind, name=name, before=before["prediction"].map(as_text), **texts)

"""Records of a task whose answers are texts, with the answers beside them; no model, no training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench.hashing import digest
from bench.records import store
from bench.records.outcome import Outcome, Score
from bench.records.record import Provenance, Record, Setup

TASK = {
    "name": "mail",
    "type": "generation",
    "prompt": "Mail: {text}\nReply:",
    "instructions": {"test": ["Answer it.\n{text}"]},
}


def write_row(
    out: Path,
    strategy: str,
    answers: Sequence[str],
    seed: int = 0,
    task: dict[str, Any] = TASK,
    **columns: Any,
) -> Record:
    """One run of a row that gave these answers to as many items; `columns` replace those of its items."""
    inputs = {"task": task, "strategy": strategy, **({"seed": seed} if strategy != "zero-shot" else {})}
    setup = Setup(
        suite="ours", model="m", task=task["name"], strategy=strategy, hyperparameters={}, seed=seed, budget="8examples"
    )
    # The longer the answers, the better the row.
    score = Score(name="chrf", value=min(99.0, sum(map(len, answers))), ci_low=0, ci_high=100, n=len(answers))
    record = Record(
        run_id=digest([strategy, seed, task["name"]]),
        status="ok",
        setup=setup,
        outcome=Outcome(score=score),
        provenance=Provenance(versions={}, device={}, inputs=inputs),
    )
    names = [f"test-{number}" for number in range(1, len(answers) + 1)]
    frame = {"kind": "task", "name": task["name"], "item": names, "text": [f"text of {name}" for name in names]}
    frame |= {"gold": '["right"]', "prediction": list(answers), "cluster": None, **columns}
    store.write_record(out, record, pd.DataFrame(frame))
    return record

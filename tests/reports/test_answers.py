"""Per-item answers as matrices, or None where they cannot be used."""

import numpy as np
import pandas as pd

from reports import answers


def test_task_and_probe_answers_have_a_row_per_seed(make):
    frames = [make.record("full", seed)[1] for seed in range(3)]
    task, probe = answers.of_task(frames, "sst2"), answers.of_probe(frames, "lambada")
    assert task is not None and task.after.shape == task.before.shape == (3, 200)
    assert probe is not None and probe.after.shape == (3, 64) and probe.weights.shape == (64,)
    assert np.isclose(task.after.mean(1), 0.85).all() and np.isclose(task.before.mean(1), 0.55).all()


def test_answers_that_cannot_be_used(make):
    frame = make.record("full")[1]
    assert answers.of_task([], "sst2") is None
    assert answers.of_task([frame, pd.DataFrame()], "sst2") is None
    assert answers.of_task([frame, frame], "another") is None
    assert answers.of_task([frame, frame.iloc[1:]], "sst2") is None
    assert answers.of_probe([frame, frame.assign(value=np.nan)], "lambada") is None
    assert answers.of_probe([frame, frame.assign(weight=2.0)], "lambada") is None

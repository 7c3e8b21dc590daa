"""Faults in what runs read are told before the first of them starts."""

from dataclasses import replace

import pytest

from bench.errors import UserError
from bench.preflight.data import check_data
from bench.specs.library import Library


def test_tasks_and_probes_are_read(planned, tmp_path):
    run = replace(planned("full", suite="sentiment"), task=Library().task("illinois-verdicts"))
    (spec, count), *others = run.probes
    here = {"asset": None, "member": None, "path": str(tmp_path / "gone.csv")}
    check_data([replace(run, probes=[])])
    train = run.task.train.model_copy(update=here)
    source = spec.source.model_copy(update=here)
    for broken in (
        replace(run, task=run.task.model_copy(update={"train": train})),
        replace(run, probes=[*others, (spec.model_copy(update={"source": source}), count)]),
    ):
        with pytest.raises(UserError, match=r"gone\.csv"):
            check_data([broken])

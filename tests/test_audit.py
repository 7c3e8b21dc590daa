"""`tunebench audit` on small versions of the default suites, done for this: every number that answers give agrees."""

import pytest

from bench.planning import plan
from bench.planning.options import PlanOptions
from bench.progress import Progress
from bench.running import execution
from bench.running.work import Workplace
from reports.audit.findings import audit

RUNS = {
    # Numbers are what is looked at, and not how good the model is: the smallest one has as many.
    "sentiment": ("tiny-bert", ["zero-shot", "few-shot", "full", "frozen", "lora-8bit", "instruction", "multitask"]),
    "ner": ("tiny-bert", ["zero-shot", "full", "lora-8bit", "multitask"]),
    "qa": ("tiny-bert", ["zero-shot", "full", "instruction"]),
    "stages": ("tiny-bert", ["full"]),
    "decoder": ("shallow", ["zero-shot", "full", "instruction"]),
    "decoder-qa": ("shallow", ["zero-shot"]),
    "corpus": ("shallow", ["zero-shot"]),
    "sentiment-domains": ("tiny-bert", ["full", "frozen"]),
    "medical": ("tiny-bert", ["zero-shot", "full"]),
    "finance": ("tiny-bert", ["full", "lora-8bit"]),
    "law": ("tiny-bert", ["full", "frozen"]),
}
SUITES = {"decoder": "sentiment", "decoder-qa": "qa"}
NOT_OF_ANSWERS = {"cost", "data", "contamination", "losses"}


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_every_number_of_a_default_suite_agrees(name, tmp_path, device, own_cache, shallow_folder):
    model, strategies = RUNS[name]
    model = str(shallow_folder) if model == "shallow" else model
    small = {"budget": "32", "probe_items": 8, "test_items": 24, "strategies": strategies}
    runs = plan.plan(PlanOptions(SUITES.get(name, name), model=model, **small), "fp32")
    records = execution.execute(runs, Workplace(tmp_path, device, Progress(False, len(runs))))
    assert records and all(record.outcome for record in records if record.status != "skipped")
    findings = audit(tmp_path, records)
    assert findings.clean, findings.differences
    assert findings.checked > 20 * len(records) and findings.largest < 1e-12
    left = {what for what in findings.unchecked if not what.endswith((".ci_low", ".ci_high"))}
    assert left <= NOT_OF_ANSWERS

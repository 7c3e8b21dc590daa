"""`tunebench audit` on small versions of the default suites, done for this: every number that answers give agrees."""

import pytest

from bench.planning import plan
from bench.planning.options import PlanOptions
from bench.progress import Progress
from bench.running import execution
from bench.running.assignments import Workplace
from reports.audit.findings import audit

TINY = "tiny decoder"
RUNS = {
    # Numbers are what is looked at, and not how good the model is: the smallest one has as many.
    "sentiment": ("tiny-bert", ["zero-shot", "few-shot", "full", "frozen", "lora-8bit", "instruction", "multitask"]),
    "ner": ("tiny-bert", ["zero-shot", "full", "lora-8bit", "multitask"]),
    "qa": ("tiny-bert", ["zero-shot", "full", "instruction"]),
    "stages": ("tiny-bert", ["full"]),
    "decoder": (TINY, ["zero-shot", "full", "instruction"]),
    "decoder-qa": (TINY, ["zero-shot"]),
    "corpus": (TINY, ["zero-shot"]),
    "sentiment-domains": ("tiny-bert", ["full", "frozen"]),
    "medical": ("tiny-bert", ["zero-shot", "full"]),
    "finance": ("tiny-bert", ["full", "lora-8bit"]),
    "law": ("tiny-bert", ["full", "frozen"]),
    "forgetting": (TINY, ["full", "rehearsal"]),
    "translation": (TINY, ["zero-shot", "few-shot", "full", "instruction"]),
    "chat": (TINY, ["zero-shot", "full"]),  # as a chat this model's template opens no answer with its role
    "ablations": ("tiny-bert", ["full", "frozen"]),
    "claims-whole": (TINY, ["few-shot", "lora-slow", "lora-32bit", "multitask"]),
    "claims-few": (TINY, ["full", "instruction"]),
    "claims-alone": ("tiny-bert", ["instruction"]),
}
SUITES = {"decoder": "sentiment", "decoder-qa": "qa"}
SEEDS = {"claims-few": 2}
NOT_OF_ANSWERS = {"cost", "data", "contamination", "losses", "curve"}
"""Costs, counts, and what a run went through on its way, of which no answers are kept."""


def test_every_suite_whose_data_are_in_packages_is_looked_at(library):
    def in_packages(suite):
        sources = [source for name in (*suite.tasks, *suite.stages) for source in library.task(name).train_sources]
        models = [library.model(name) for name in suite.models]  # None: a hub's
        return bool(sources) and all(each is not None and each.asset for each in (*models, *sources))

    suites = [library.suite(name) for name in library.names("")]
    assert {suite.name for suite in suites if in_packages(suite)} == {SUITES.get(name, name) for name in RUNS}


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_every_number_of_a_default_suite_agrees(name, tmp_path, device, own_cache, decoder_folder):
    model, strategies = RUNS[name]
    model = str(decoder_folder) if model == TINY else model
    small = {"budget": "32", "probe_items": 8, "test_items": 24, "strategies": strategies, "seeds": SEEDS.get(name, 1)}
    runs = plan.plan(PlanOptions(SUITES.get(name, name), model=model, **small), "fp32")
    records = execution.execute(runs, Workplace(tmp_path, device, Progress(False, len(runs))))
    assert records and all(record.outcome for record in records if record.status != "skipped")
    findings = audit(tmp_path, records)
    assert findings.clean, findings.differences
    assert findings.checked > 20 * len(records) and findings.largest < 1e-12
    assert {what.partition(".")[0] for what in findings.unchecked} <= NOT_OF_ANSWERS

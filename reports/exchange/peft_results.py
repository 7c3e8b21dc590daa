"""Result files of PEFT's method comparison, `method_comparison/MetaMathQA/results/*.json`, as records.

Each is one run: Llama-3.2-3B trained on MetaMathQA, asked the 1,319 test questions of GSM8K. It holds no answers, so that the
score's interval is binomial. What it does not say (FLOPs, seconds of evaluation, trials of tuning, the base's score) is None.
"""

import re
from pathlib import Path
from typing import Any

from bench.errors import FormatError
from bench.hashing import digest
from bench.records.outcome import Forgetting, Outcome, Score
from bench.records.record import Cost, Provenance, Record, Setup, Trust, Tuning
from bench.statistics.binomial import wilson
from reports.exchange.identity import imported, told_words
from reports.exchange.untrusted_files import Given, leaves, precision, read_object
from reports.rows.import_aspects import COMMITS_OF_IMPORT, OF_IMPORT, QUESTION_OF_IMPORT

NAME = "peft-method-comparison"
GSM8K, GSM8K_ITEMS = "gsm8k", 1_319
"""The test set of GSM8K, which `get_train_valid_test_datasets` of PEFT's data.py leaves whole."""
PROBE, LOSS = "peft-wikipedia", "loss (nats per token)"
"""What PEFT calls forgetting: the loss on a sample of Wikipedia after training minus before, the difference alone."""
NO_SIZE = 99_999_999
"""What PEFT writes as a file's size where it could not be found."""
TOLD_ELSEWHERE = {"base_model_name_or_path", "inference_mode", "task_type", "auto_mapping"}
LARGE = 64
"""Values: what holds more was made by training, as the 3,584 ranks that AdaLoRA keeps or not, and is told by its size."""


def read_peft_result(path: Path, suite: str = NAME) -> Record:
    """The record of one result file.

    Raises:
        FormatError: the file is none of these, or a value in it is missing or wrong.
    """
    given, content = read_object(path)
    run, training = given["run_info"], given["train_info"]
    config = run["train_config"]
    # A run that failed is a row with its reason, as our own are.
    done = training["status"].text() == "success"
    setup = Setup(
        suite=suite,
        model=config["model_id"].text(),
        task=GSM8K,
        strategy=_strategy(run["experiment_name"].text(), config["model_id"].text()),
        hyperparameters=_peft_hyperparameters(config, run.get("peft_config")),
        seed=config["seed"].whole(),
        budget=f"{config['max_steps'].whole()}steps",
        tuning=Tuning(trials=None),
    )
    run_id, inputs, source = imported(NAME, path, [content], setup, "binomial" if done else "none")
    inputs |= _asked_and_fed(config) | _commits(given["meta_info"])
    return Record(
        run_id=run_id,
        status="ok" if done else "failed",
        reason=None if done else _failure_reason(run, training),
        setup=setup,
        outcome=_gsm8k_outcome(training["metrics"].last()) if done else None,
        cost=_peft_cost(training, training["metrics"].last()) if done else None,
        trust=Trust(data={"test": GSM8K_ITEMS}) if done else Trust(),
        provenance=Provenance(
            versions=_peft_versions(given["meta_info"]["package_info"]),
            device=_peft_device(given["meta_info"]["system_info"], precision(config["dtype"])),
            started=run["created_at"].text(),
            inputs=inputs,
            source=source,
        ),
    )


def _strategy(experiment: str, model: str) -> str:
    """`lora/llama-3.2-3B-rank32` is `lora/rank32`: the model has a column of its own."""
    # Files write the model's name in another case than the hub does.
    return re.sub(rf"{re.escape(model.rpartition('/')[2])}-", "", experiment, flags=re.IGNORECASE)


def _asked_and_fed(config: Given) -> dict[str, Any]:
    """What must be alike in rows that are compared, by the names of our own inputs: the words of the question, how an answer is
    written, and how much is read at once."""
    template, written = config.get("query_template"), config.get("generation_kwargs")
    batch, length = config.get("batch_size"), config.get("max_seq_length")
    told: dict[str, Any] = {}
    if template:
        told[OF_IMPORT] = told_words(str(template.value), template.value)
    if written:
        told[QUESTION_OF_IMPORT] = digest(written.value)
    return told | {name: part.whole() for name, part in (("batch", batch), ("max_length", length)) if part}


def _commits(meta: Given) -> dict[str, Any]:
    """Of the model and the data sets, where the file tells them."""
    data = meta.get("dataset_info")
    told = {"model": meta.get("model_info"), **(dict(data.parts()) if data else {})}
    known = {name: sha.text() for name, of in told.items() if of and (sha := of.get("sha"))}
    return {COMMITS_OF_IMPORT: known} if known else {}


def _peft_hyperparameters(config: Given, adapter: Given | None) -> dict[str, Any]:
    """Of training, and under `peft` those of the adapter that are set; weights fully trained have none."""
    # These two have fields of their own in a record.
    training = {name: value for name, value in config.settings().items() if name not in ("model_id", "seed")}
    if adapter is None:
        return training
    known = {name: value for name, value in adapter.settings().items() if value is not None and name not in TOLD_ELSEWHERE}
    # What training made is no setting that anybody chose.
    sizes = {name: sum(1 for _ in leaves(value)) for name, value in known.items()}
    chosen = {name: value if sizes[name] <= LARGE else f"{sizes[name]:,} values" for name, value in known.items()}
    return {**training, "peft": chosen}


def _failure_reason(run: Given, training: Given) -> str:
    message = run.get("error_msg")
    return str(message.value).strip()[:500] if message and str(message.value).strip() else training["status"].text()


def _gsm8k_outcome(end: Given) -> Outcome:
    """`end` is the last entry of `metrics`, written after the test."""
    accuracy = end["test accuracy"].number(0, 1)
    # Another number of questions would make the interval another, and the file does not say how many.
    if abs(accuracy * GSM8K_ITEMS - round(accuracy * GSM8K_ITEMS)) > 1e-6:
        raise FormatError(
            f"{end.place}.test accuracy", f"{accuracy} is no share of the {GSM8K_ITEMS:,} test questions of GSM8K"
        )
    low, high = wilson(accuracy, GSM8K_ITEMS)
    score = Score(name="accuracy", value=accuracy, ci_low=low, ci_high=high, n=GSM8K_ITEMS, share=True)
    lost = end.get("forgetting")
    forgetting = {PROBE: _wikipedia_forgetting(lost.number())} if lost else {}
    return Outcome(score=score, metrics={"accuracy": score}, forgetting=forgetting)


def _wikipedia_forgetting(lost: float) -> Forgetting:
    return Forgetting(value_name=LOSS, higher_is_better=False, delta=lost, verdict=None)


def _peft_cost(training: Given, end: Given) -> Cost:
    # The key was renamed when other accelerators came.
    peak = training.get("accelerator_memory_max") or training["cuda_memory_max"]
    size, tokens = training.get("file_size"), end.get("train total tokens")
    counts = {name: training.get(f"num_{name}_params") for name in ("trainable", "total")}
    return Cost(
        train_examples=end["train samples"].whole(),
        train_tokens=tokens.whole() if tokens else None,
        train_flops=None,
        train_seconds=training["train_time"].number(0),
        eval_seconds=None,
        probe_seconds=None,
        peak_memory_bytes=peak.whole(),
        trainable_parameters=counts["trainable"].whole() if counts["trainable"] else None,
        total_parameters=counts["total"].whole() if counts["total"] else None,
        saved_bytes=size.whole() if size and size.value != NO_SIZE else None,
    )


def _peft_versions(packages: Given) -> dict[str, str]:
    """`peft-version: 0.19.0`; commits stand beside them where a package was no release."""
    return {name.removesuffix("-version"): part.text() for name, part in packages.parts() if part.value is not None}


def _peft_device(system: Given, precise: str) -> dict[str, str | int]:
    name = system.get("accelerator") or system.get("gpu")
    precision_alone: dict[str, str | int] = {"precision": precise}
    return precision_alone | ({"name": name.text()} if name else {})

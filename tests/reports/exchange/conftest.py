"""Small files in the shapes that other programs write, made up here."""

import copy
import json
from pathlib import Path

import pytest

PEFT = {
    "run_info": {
        "created_at": "2026-05-01T10:00:00+00:00",
        "total_time": 700.5,
        "experiment_name": "lora/llama-3.2-3B-rank8",
        "peft_branch": "main",
        "train_config": {
            "model_id": "meta-llama/Llama-3.2-3B",
            "dtype": "bfloat16",
            "batch_size": 4,
            "max_steps": 5000,
            "seed": 0,
            "optimizer_type": "AdamW",
            "optimizer_kwargs": {"lr": 1e-4, "weight_decay": 0.1},
            "lr_scheduler": "cosine",
            "attn_implementation": None,
        },
        "peft_config": {"peft_type": "LORA", "base_model_name_or_path": "meta-llama/Llama-3.2-3B", "r": 8, "eva_config": None},
        "error_msg": "",
    },
    "train_info": {
        "accelerator_memory_reserved_avg": 11_000_000_000,
        "accelerator_memory_max": 22_000_000_000,
        "accelerator_memory_reserved_99th": 17_000_000_000,
        "train_time": 612.25,
        "file_size": 9_000_000,
        "num_trainable_params": 2_000_000,
        "num_total_params": 3_214_000_000,
        "status": "success",
        "metrics": [
            {"step": 250, "valid accuracy": 0.4, "train loss": 0.9, "train samples": 1000},
            {
                "step": 5000,
                "test accuracy": 660 / 1319,
                "train loss": 0.6,
                "train samples": 20_000,
                "train total tokens": 4_000_000,
                "forgetting": 0.125,
            },
        ],
    },
    "meta_info": {
        "model_info": {"sha": "ab" * 20, "created_at": None},
        "package_info": {"peft-version": "0.19.0", "peft-commit-hash": None, "torch-version": "2.9.0"},
        "system_info": {"system": "Linux", "accelerator": "NVIDIA L40S"},
        "pytorch_info": "PyTorch built with: ...",
    },
}
ABSENT = object()


def with_value(value, place, new):
    """A copy of nested JSON with another value at a place such as `run_info.train_config.seed`; ABSENT takes it away."""
    changed = copy.deepcopy(value)
    *way, last = place.split(".")
    inner = changed
    for name in way:
        inner = inner[int(name)] if isinstance(inner, list) else inner[name]
    if new is ABSENT:
        del inner[last]
    else:
        inner[last] = new
    return changed


@pytest.fixture
def peft_file(tmp_path):
    """Write a result file of PEFT's, with other values at the places that are named, and give its path."""

    def write(name: str = "lora--llama-3.2-3B-rank8.json", folder: str = "results", **changes) -> Path:
        value = PEFT
        for place, new in changes.items():
            value = with_value(value, place.replace("__", "."), new)
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(value))
        return path

    return write


@pytest.fixture
def absent():
    return ABSENT


HARNESS = {
    "results": {
        "riddles": {
            "alias": "riddles",
            "acc,none": 0.75,
            "acc_stderr,none": 0.25,
            "acc_norm,none": 0.5,
            "acc_norm_stderr,none": 0.28868,
        },
        "essays": {
            "alias": "essays",
            "rougeL,none": 31.5,
            "rougeL_stderr,none": 2.0,
            "bleu,none": 20.0,
            "bleu_stderr,none": "N/A",
        },
        "sums": {
            "exact_match,strict": 0.25,
            "exact_match_stderr,strict": 0.25,
            "exact_match,loose": 0.5,
            "exact_match_stderr,loose": 0.28868,
        },
        "all": {"alias": "all", "acc,none": 0.6, "acc_stderr,none": 0.1},
    },
    "group_subtasks": {"all": ["riddles", "sums"]},
    "configs": {
        "riddles": {"metric_list": [{"metric": "acc_norm"}, {"metric": "acc"}]},
        "essays": {},
        "sums": {"metric_list": [{"metric": "exact_match"}]},
    },
    "versions": {"riddles": 1.0, "sums": 3},
    "n-shot": {"riddles": 0, "essays": 0, "sums": 5, "all": 0},
    "higher_is_better": {
        "riddles": {"acc": True, "acc_norm": True},
        "essays": {"rougeL": True, "bleu": False},
        "sums": {"exact_match": True},
    },
    "n-samples": {name: {"original": 9, "effective": 4} for name in ("riddles", "essays", "sums")},
    "config": {"model": "hf", "model_num_parameters": 135, "model_dtype": "torch.bfloat16", "device": "cuda", "limit": 4.0},
    "date": 1_700_000_000.5,
    "transformers_version": "5.1.0",
    "lm_eval_version": "0.4.13",
    "model_name": "org/Model-1B",
    "total_evaluation_time_seconds": "12.5",
}
RIDDLES = [(1.0, 1.0), (1.0, 1.0), (1.0, 0.0), (0.0, 0.0)]
"""`acc` and `acc_norm` of each item."""


def riddles(answers=RIDDLES):
    """The samples' lines."""
    shared = {"target": "0", "filtered_resps": [["-1.5", "False"]], "filter": "none", "metrics": ["acc", "acc_norm"]}
    return [{"doc_id": n, **shared, "acc": acc, "acc_norm": norm} for n, (acc, norm) in enumerate(answers)]


@pytest.fixture
def harness_file(tmp_path):
    """Write a results file of the harness, with other values at the places that are named, and the samples of its tasks."""

    def write(samples=None, name: str = "results_2026-05-01T10-00-00.5.json", **changes) -> Path:
        value = HARNESS
        for place, new in changes.items():
            value = with_value(value, place.replace("__", "."), new)
        path = tmp_path / "harness" / "org__Model-1B" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
        for task, lines in (samples or {}).items():
            beside = path.with_name(f"samples_{task}_2026-05-01T10-00-00.5.jsonl")
            beside.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path

    return write


@pytest.fixture
def riddle_lines():
    return riddles

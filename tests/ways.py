"""Which runs are held equal on two processes and on one, by way of sharing a training.

tests/bench/modeling/test_sharding.py does them, and tests/bench/preflight/test_parallelism.py holds the table of
docs/launching.md against this list.
"""

import os
from pathlib import Path

import yaml

LIBRARY = Path(__file__).parents[1] / "suites"
WORLDS = {"fsdp2": ("ddp", "fsdp2"), "zero1": ("zero1", "zero2", "zero3", "zero3-offload")}
"""The launch file that starts a world -> what it does."""
WAYS = [way for ways in WORLDS.values() for way in ways]
SHARDING = ("fsdp2", "zero3", "zero3-offload")
"""Ways that share out weights, which those in 8 or 4 bit cannot be."""
BF16 = "bf16"
"""The suite that is done in bf16; all others are done in fp32."""
COUNTED = ("tokens", "flops")
"""Suites whose budgets are in units that cut a batch of their own."""
CLOCK = "seconds"
"""The suite that the clock ends, so that no two of its trainings are as long."""

VALIDATION_ITEMS = 4
"""On so few the base's wording is chosen in tests, instead of 128: in small runs that would be most of the time."""

SMALL = {"version": 1, "description": "small", "budget": "21examples", "batch": 8, "max_length": 128, "probe_items": 3}
UNDROPPED = {"dropout": 0.0}  # draws differ between processes
LORA = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "lora_dropout": 0.0, "target_modules": "all-linear"}
VIRTUAL = {
    "prompts": {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 3},
    "prefix": {"peft_type": "PREFIX_TUNING", "num_virtual_tokens": 3},
}
ADAPTERS = {"lora": (32, LORA), "lora-4bit": (4, LORA), **{name: (32, config) for name, config in VIRTUAL.items()}}
"""Strategies of the tests' own: bits of the base, and PEFT's configuration."""
QUANTISED = ("lora-8bit", "lora-4bit")
SUITES = {
    # Two stages, each with a head of its own on one backbone; the best weights are kept and put back.
    "encoder": {
        "stages": ["sarcasm", "sst2"],
        "strategies": ["zero-shot", "full", "frozen", "lora", "lora-8bit"],
        "probes": ["mrpc", "drift"],
        "other_items": 5,
        "hyperparameters": {
            "full": {**UNDROPPED, "early_stopping": 1, "validate_every": 0.5},
            "frozen": UNDROPPED,
            "lora": UNDROPPED,
            "lora-8bit": UNDROPPED,
        },
    },
    # PEFT puts virtual tokens before a single head alone.
    "encoder-prompts": {
        "tasks": ["sst2"],
        "strategies": list(VIRTUAL),
        "hyperparameters": dict.fromkeys(VIRTUAL, UNDROPPED),
    },
    # Each other type of task that an encoder does, with its head, and each other kind of probe that it is asked.
    "encoder-types": {
        "stages": ["medical-spans", "medmcqa", "squad"],
        "strategies": ["full"],
        "probes": ["mrpc-sentences", "subjects"],
        "other_items": 3,
        "hyperparameters": {"full": UNDROPPED},
    },
    "decoder": {
        "tasks": ["sst2"],
        "strategies": [
            "zero-shot",
            "few-shot",
            "full",
            "frozen",
            "lora",
            "lora-8bit",
            "lora-4bit",
            "prompts",
            "instruction",
            "multitask",
            "rehearsal",
        ],
        "probes": ["lambada", "drift"],
        "other_items": 3,
        "paraphrase_items": 3,
    },
    # Its texts are written, and their references judged apart from them, where processes go in lockstep.
    "writer": {"tasks": ["translations"], "strategies": ["zero-shot", "full"], "probes": ["lambada"], "other_items": 3},
    # The other types of task that a decoder does, the chats by beam search, and the other kinds of probe that it is asked.
    "decoder-types": {
        "stages": ["film-plots", "chats", "medmcqa"],
        "strategies": ["full"],
        "probes": ["wikipedia", "spelling", "arc-easy", "nq-open"],
        "other_items": 3,
    },
    BF16: {"tasks": ["sst2"], "strategies": ["full"]},
    "tokens": {"tasks": ["sst2"], "strategies": ["full", "lora", "multitask"], "budget": "900tokens"},
    "flops": {"tasks": ["sst2"], "strategies": ["full", "lora"], "budget": "700MFLOP"},
    CLOCK: {"tasks": ["sst2"], "strategies": ["full"], "budget": "5s"},
}
TYPES = ("encoder-types", "decoder-types")
EVERYWHERE = ("encoder", "decoder", "writer")
"""Suites of which zero-shot and full are done under each way."""
GO_ON = {"fsdp2": EVERYWHERE, "zero3": ("encoder",)}
"""Suites of which a training is ended on the way, and goes on, by way. The encoder's has two stages, and its best weights."""
RUNS = [(suite, strategy) for suite, fields in SUITES.items() if suite != CLOCK for strategy in fields["strategies"]]


def tried(way: str, suite: str, strategy: str) -> bool:
    """Whether a run is done under a way, or its refusal is looked at. All under all would take CI twenty minutes; ALL_WAYS=1
    does it, but for budgets and for ZeRO-3 with offload."""
    if os.environ.get("ALL_WAYS") and way != "zero3-offload" and suite not in (*COUNTED, CLOCK):
        return True
    if suite in TYPES:  # what is asked where all processes make as many passes
        return way == "fsdp2"
    if suite in (*COUNTED, CLOCK):  # examples are shared out as under DDP in all ways, and weights by FSDP2 and ZeRO-3
        return way in ("ddp", "fsdp2") or (way == "zero3" and strategy == "full")
    few = suite in EVERYWHERE and strategy in ("zero-shot", "full")  # the encoder's full has two heads
    match way:
        case "zero3-offload":
            return few
        case "zero2":  # zero1 cuts the same moments, and zero3 the same gradients
            return few or suite in (BF16, "decoder", "encoder-prompts")
        case "zero1" if strategy == "few-shot":  # it trains nothing, and weights are whole
            return False
        case "zero1" | "zero3":
            return (suite, strategy) not in [("encoder", "lora"), ("encoder", "lora-8bit")]  # the decoder's are done
    return True


def written(folder: Path, decoder: Path) -> None:
    """The suites as files, with the strategies, tasks and probes that they have of their own."""
    for part in ("strategies", "tasks", "probes"):
        (folder / part).mkdir()
    for name, (bits, config) in ADAPTERS.items():
        values = {"learning_rate": 5e-3, "bits": bits, "peft": config}
        _write(folder / "strategies", {"name": name, "description": name, "kind": "adapter", "hyperparameters": values})
    # Short answers are enough: each token of theirs is a pass that all processes make together.
    own_task(folder, "translations", "localisation-de", options={"answer_tokens": 6}, out_of_domain={})
    own_task(folder, "chats", "coqa-chat", options={"answer_tokens": 4, "turns": 4, "beams": 2})
    subjects = yaml.safe_load((LIBRARY / "probes" / "medical-subjects.yaml").read_text())
    _write(folder / "probes", subjects | {"name": "subjects", "options": {"train": 24}})
    for name, fields in SUITES.items():
        model = "tiny-bert" if name.startswith("encoder") else str(decoder)
        _write(folder, {"name": name, "models": [model], **SMALL, **fields})


def own_task(folder: Path, name: str, base: str, **fields: object) -> None:
    """A task of the library under another name, with these fields instead of its own."""
    _write(folder / "tasks", yaml.safe_load((LIBRARY / "tasks" / f"{base}.yaml").read_text()) | {"name": name, **fields})


def kinds(folder: Path) -> dict[str, set[str]]:
    """Of all suites in a folder: their types of task, kinds of strategy and kinds of probe."""
    suites = [yaml.safe_load(path.read_text()) for path in folder.glob("*.yaml")]
    found = {
        "tasks": {("type", name) for suite in suites for part in ("tasks", "stages") for name in suite.get(part, [])},
        "strategies": {("kind", name) for suite in suites for name in suite["strategies"]},
        "probes": {("kind", name) for suite in suites for name in suite.get("probes", [])},
    }

    def read(part: str, name: str) -> dict:
        own = folder / part / f"{name}.yaml"
        return yaml.safe_load((own if own.exists() else LIBRARY / part / f"{name}.yaml").read_text())

    return {part: {read(part, name)[field] for field, name in named} for part, named in found.items()}


def all_kinds() -> dict[str, set[str]]:
    """Those that there are."""
    import bench.probes
    import bench.strategies
    import bench.tasks.types
    from bench.plugins import kinds

    packages = {"tasks": bench.tasks.types, "strategies": bench.strategies, "probes": bench.probes}
    return {part: set(kinds(package)) for part, package in packages.items()}


def _write(folder: Path, fields: dict) -> None:
    (folder / f"{fields['name']}.yaml").write_text(yaml.safe_dump(fields))

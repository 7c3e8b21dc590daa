"""What a launcher asked for, read from the environment that it set: processes, device, and how the work is shared out.

Where the libraries cannot do what was asked, Accelerate silently does something else; here that is an error.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

from accelerate import Accelerator
from accelerate.utils import DistributedType

from bench.errors import UserError

Parallelism = Literal["none", "ddp", "fsdp2", "zero1", "zero2", "zero3"]
"""How processes share a training: not at all, by averaging gradients (DDP), or by sharing out moments (ZeRO-1), gradients too
(ZeRO-2), or weights too (ZeRO-3, FSDP2)."""

NAMES: dict[Parallelism, str] = {
    "none": "one process",
    "ddp": "DDP",
    "fsdp2": "FSDP2",
    "zero1": "ZeRO-1",
    "zero2": "ZeRO-2",
    "zero3": "ZeRO-3",
}
SHARDING: frozenset[Parallelism] = frozenset({"fsdp2", "zero3"})
"""Of which each process holds a part of every weight: all must ask the model together."""

WHOLE_GRADIENTS: frozenset[Parallelism] = frozenset({"none", "ddp"})
"""Where each process holds all gradients of a step after its last backward pass, and all hold the same."""

REFUSED = {
    "ACCELERATE_USE_MEGATRON_LM": "Megatron-LM",
    "ACCELERATE_USE_PARALLELISM_CONFIG": "a parallelism_config (tensor, context or sequence parallelism)",
    "FSDP_CPU_RAM_EFFICIENT_LOADING": "fsdp_cpu_ram_efficient_loading, Accelerate's default, by which only the first process "
    "has weights",
    "FSDP_ACTIVATION_CHECKPOINTING": "fsdp_activation_checkpointing; a strategy's gradient_checkpointing does it",
    "FSDP_OFFLOAD_PARAMS": "fsdp_offload_params; launch/zero3-offload.yaml keeps weights in the host's memory",
}
"""Switches of Accelerate's that nothing here was tried with, and what each switches on."""
OFFLOADS = ("ACCELERATE_DEEPSPEED_OFFLOAD_OPTIMIZER_DEVICE", "ACCELERATE_DEEPSPEED_OFFLOAD_PARAM_DEVICE")
"""Where DeepSpeed keeps moments, and weights, while nothing computes with them."""


@dataclass(frozen=True)
class Launched:
    """What was asked for."""

    world: int = 1
    """Processes on all machines together."""
    local: int = 1
    """On this one."""
    cpu: bool = False
    """Whether GPUs, should there be any, are to be left alone."""
    gpus: str | None = None
    """Which GPUs, by their numbers; None where none are named."""
    parallelism: Parallelism = "none"

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> "Launched":
        """Read from the variables that `accelerate launch` and torchrun set.

        Raises:
            UserError: the launcher asks for what is not done here.
        """
        world = int(environ.get("WORLD_SIZE") or 1)
        _refuse(environ)
        visible = environ.get("CUDA_VISIBLE_DEVICES")
        # CUDA hides a GPU whose number is negative, and all after it; launch/cpu.yaml says so to each of its processes.
        hidden = visible is not None and (not visible.strip() or visible.strip().startswith("-"))
        accelerated = "ACCELERATE_MIXED_PRECISION" in environ
        return cls(
            world=world,
            local=int(environ.get("LOCAL_WORLD_SIZE") or 1),
            cpu=_switched_on(environ, "ACCELERATE_USE_CPU") or hidden,
            gpus=visible if accelerated and not hidden else None,
            parallelism=_parallelism(environ, world),
        )

    def check(self, gpus: int, cores: int) -> None:
        """Hold it against what the machine has, before anything is set up.

        Raises:
            UserError: it has no such devices, or too few; or they cannot do it.
        """
        name = NAMES[self.parallelism]
        on_cpu = self.cpu or not gpus
        if self.parallelism == "fsdp2" and on_cpu:
            raise UserError(
                f"the launcher asks for FSDP2 on CPU, where Accelerate does {'DDP' if self.world > 1 else 'nothing'} instead "
                "without a word; use launch/cpu.yaml there"
            )
        if self.parallelism.startswith("zero") and not find_spec("deepspeed"):
            raise UserError(
                f"the launcher asks for {name}, and DeepSpeed is not installed: "
                "python -m pip install -e '.[deepspeed]' in tunebench's clone"
            )
        if not gpus and not self.cpu and (self.world > 1 or self.gpus is not None or self.parallelism != "none"):
            what = f"{self.world} processes on GPUs" if self.world > 1 else f"GPU {self.gpus or 0}"
            raise UserError(
                f"the launcher asks for {what}, and torch sees none here; on CPU use launch/cpu.yaml, or --gpu_ids=-1,-1"
            )
        devices, kind = (cores, "CPU cores") if on_cpu else (gpus, "GPUs")
        if self.local > devices:
            raise UserError(
                f"{self.local} processes were launched on this machine, but it has {devices} {kind}; lower --num_processes"
            )

    def compare(self, accelerator: Accelerator) -> None:
        """Hold it against what came of it.

        Raises:
            UserError: Accelerate made something else of it.
        """
        came = accelerator.num_processes, parallelism(accelerator)
        if came != (self.world, self.parallelism):
            raise UserError(
                f"the launcher started {self.world} processes for {NAMES[self.parallelism]}, but Accelerate sees {came[0]} "
                f"({NAMES[came[1]]}); start them by `accelerate launch --config_file` with one of the files in launch/"
            )


def parallelism(accelerator: Accelerator) -> Parallelism:
    """What came: how Accelerate shares a training among processes."""
    if accelerator.distributed_type == DistributedType.DEEPSPEED:
        stages: dict[int, Parallelism] = {1: "zero1", 2: "zero2", 3: "zero3"}
        return stages[accelerator.state.deepspeed_plugin.zero_stage]
    if accelerator.distributed_type == DistributedType.FSDP:
        return "fsdp2"
    return "none" if accelerator.distributed_type == DistributedType.NO else "ddp"


def configured(config: Mapping[str, Any]) -> Parallelism:
    """How processes will share a training by a file of launch/.

    Raises:
        UserError: the file asks for what is not done here.
    """
    kind = config.get("distributed_type")
    fsdp, zero, dynamo = (config.get(f"{name}_config") or {} for name in ("fsdp", "deepspeed", "dynamo"))
    sharded = kind == "FSDP"
    settings: dict[str, object] = {
        "ACCELERATE_MIXED_PRECISION": config.get("mixed_precision") or "no",
        "ACCELERATE_DYNAMO_BACKEND": dynamo.get("dynamo_backend", "no"),
        "ACCELERATE_USE_CPU": config.get("use_cpu", False),
        "ACCELERATE_USE_MEGATRON_LM": kind == "MEGATRON_LM",
        "ACCELERATE_USE_PARALLELISM_CONFIG": bool(config.get("parallelism_config")),
        "ACCELERATE_USE_DEEPSPEED": kind == "DEEPSPEED",
        "ACCELERATE_DEEPSPEED_ZERO_STAGE": zero.get("zero_stage", 2),
        "ACCELERATE_DEEPSPEED_CONFIG_FILE": zero.get("deepspeed_config_file", "none"),
        "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": zero.get("gradient_accumulation_steps", 1),
        OFFLOADS[0]: zero.get("offload_optimizer_device", "none"),
        OFFLOADS[1]: zero.get("offload_param_device", "none"),
        "ACCELERATE_USE_FSDP": sharded,
        "FSDP_VERSION": fsdp.get("fsdp_version", 1),
        "FSDP_OFFLOAD_PARAMS": fsdp.get("fsdp_offload_params", False),
        "FSDP_ACTIVATION_CHECKPOINTING": fsdp.get("fsdp_activation_checkpointing", False),
        "FSDP_CPU_RAM_EFFICIENT_LOADING": fsdp.get("fsdp_cpu_ram_efficient_loading", sharded),
    }
    environ = {name: str(value) for name, value in settings.items()}
    _refuse(environ)
    return _parallelism(environ, 1 if kind in (None, "NO") else int(config.get("num_processes", 1)))


def _parallelism(environ: Mapping[str, str], world: int) -> Parallelism:
    if _switched_on(environ, "ACCELERATE_USE_DEEPSPEED"):
        stage = environ.get("ACCELERATE_DEEPSPEED_ZERO_STAGE", "2")
        known: dict[str, Parallelism] = {"1": "zero1", "2": "zero2", "3": "zero3"}
        if stage not in known:
            raise UserError(f"the launcher asks for ZeRO stage {stage}; choose 1, 2 or 3, or launch/gpus.yaml for none")
        if "nvme" in [environ.get(offload, "none").lower() for offload in OFFLOADS]:
            raise UserError(
                "the launcher asks for NVMe, which no checkpoint reads; offload to cpu, as launch/zero3-offload.yaml does"
            )
        return known[stage]
    if _switched_on(environ, "ACCELERATE_USE_FSDP"):
        if environ.get("FSDP_VERSION") != "2":
            raise UserError("the launcher asks for FSDP's first version; set fsdp_version: 2, as launch/fsdp2.yaml does")
        return "fsdp2"
    # One process with a LOCAL_RANK is a group of one, and Accelerate wraps its model all the same.
    return "ddp" if world > 1 or int(environ.get("LOCAL_RANK") or -1) >= 0 else "none"


def _refuse(environ: Mapping[str, str]) -> None:
    for variable, what in REFUSED.items():
        if _switched_on(environ, variable):
            raise UserError(f"the launcher asks for {what}; switch it off, tunebench does not run under it")
    precision = environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if precision != "no":
        raise UserError(f"the launcher asks for mixed_precision {precision}; set it to no, and give tunebench --precision")
    steps = environ.get("ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "1")
    if steps not in ("1", "auto"):
        raise UserError(f"the launcher asks for {steps} gradient accumulation steps; set 1, tunebench cuts batches itself")
    backend = environ.get("ACCELERATE_DYNAMO_BACKEND", "no")
    if backend.lower() != "no":
        raise UserError(f"the launcher asks for torch.compile by {backend}; leave it out, and give --set compile=true")
    if environ.get("ACCELERATE_DEEPSPEED_CONFIG_FILE", "none") != "none":
        raise UserError("the launcher names a DeepSpeed file; write deepspeed_config as launch/zero3.yaml does instead")
    if _switched_on(environ, "ACCELERATE_USE_CPU"):
        if _switched_on(environ, "ACCELERATE_USE_DEEPSPEED"):
            raise UserError(
                "the launcher asks for DeepSpeed with use_cpu, where Accelerate leaves DeepSpeed out without a word; "
                "set --gpu_ids=-1,-1 instead"
            )
        if _switched_on(environ, "ACCELERATE_USE_FSDP"):
            raise UserError("the launcher asks for FSDP with use_cpu, where it does not run; use launch/cpu.yaml there")


def _switched_on(environ: Mapping[str, str], variable: str) -> bool:
    # What Accelerate itself takes for true (str_to_bool), so that both read a switch alike.
    return environ.get(variable, "false").lower() in ("1", "true", "yes", "on", "y", "t")

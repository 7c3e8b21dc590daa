"""The files of launch/, and a person's own: found, read, and held against what this machine has."""

from pathlib import Path
from typing import Any

import torch
from accelerate.commands.config.config_args import load_config_from_file

from bench.devices import hardware
from bench.errors import UserError, unknown
from bench.processes.launchers import LAUNCH
from bench.specs.base import read_fields


def launch_file(name: str) -> Path:
    """A file of launch/ by its name, or one by its path.

    Raises:
        UserError: there is none.
    """
    given, own = Path(name), LAUNCH / f"{name}.yaml"
    if own.is_file():
        return own
    if given.suffix in (".yaml", ".yml"):
        if given.is_file():
            return given.absolute()
        raise UserError(f"--launch {name}: there is no such file")
    raise unknown("launch file", name, (path.stem for path in LAUNCH.glob("*.yaml")))


def launch_config(path: Path) -> dict[str, Any]:
    """What a launch file says.

    Raises:
        UserError: it cannot be read, or what stands in it can be so on no machine.
    """
    config = read_fields(path, "the fields of `accelerate config`")
    count, machines = config.get("num_processes", 1), config.get("num_machines", 1)
    if not all(isinstance(number, int) and number > 0 for number in (count, machines)):
        raise UserError(f"{path}: num_processes and num_machines are numbers from 1 on, and stand as {count} and {machines}")
    for part in ("fsdp_config", "deepspeed_config", "dynamo_config"):
        if not isinstance(config.get(part) or {}, dict):
            raise UserError(f"{path}: {part} has fields of its own, and stands as {config[part]!r}")
    try:
        load_config_from_file(str(path))
    except Exception as error:  # whatever Accelerate's classes make of a field or a value that they don't know
        raise UserError(f"{path}: Accelerate cannot read it: {' '.join(str(error).split())[:300]}") from error
    return config


def for_this_machine(config: dict[str, Any]) -> dict[str, Any]:
    """A file of launch/ says two processes, and means one for each GPU that there is; a person's own means what it says."""
    if config.get("use_cpu") or config.get("distributed_type", "NO") == "NO" or not torch.cuda.device_count():
        return config
    return config | {"num_processes": torch.cuda.device_count() * config.get("num_machines", 1)}


def check_launch(path: Path, config: dict[str, Any]) -> None:
    """Whether this machine has what a launch file asks for.

    Raises:
        UserError: it has not.
    """
    count, machines = config.get("num_processes", 1), config.get("num_machines", 1)
    on_cpu, kind = bool(config.get("use_cpu")), config.get("distributed_type", "NO")
    if not on_cpu and not torch.cuda.is_available():
        if kind != "NO":
            raise UserError(f"{path}: it is for GPUs ({kind}), and this machine has none; two CPU processes are --launch cpu")
        if "gpu_ids" in config:  # else one process takes what there is
            raise UserError(f"{path}: it is for a GPU, and this machine has none; one CPU process is --launch one")
    devices = hardware.cores() if on_cpu else torch.cuda.device_count()
    if kind != "NO" and count > devices * machines:
        what = "CPU cores" if on_cpu else "GPUs"
        raise UserError(
            f"{path}: it starts {count} processes on {machines} machine(s) with {devices} {what}; lower num_processes"
        )
    if on_cpu and kind != "NO" and not str(config.get("gpu_ids", "all")).startswith("-"):
        raise UserError(
            f'{path}: Accelerate does not tell several processes of use_cpu; set gpu_ids: "-1,-1" too, as launch/cpu.yaml does'
        )

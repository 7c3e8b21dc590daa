"""The one place that chooses device, precision, threads and processes.

A launcher's word is checked against what came: Accelerate falls back silently to one process, or to processes that never
talk to each other, and a benchmark must not.
"""

import os
import platform
from dataclasses import dataclass
from typing import Literal, TypeVar

import psutil
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, InitProcessGroupKwargs, broadcast_object_list, gather_object

from bench.devices import memory
from bench.devices.hardware import Precision, cores, cpu_name, processes, resolve, uses_gpu
from bench.errors import UserError

T = TypeVar("T")


@dataclass(frozen=True)
class Device:
    """What the runs use: `precision` is that of the forward pass; master weights are always fp32."""

    accelerator: Accelerator
    precision: Literal["fp32", "bf16"]

    @property
    def main(self) -> bool:
        return bool(self.accelerator.is_main_process)

    @property
    def torch(self) -> torch.device:
        return self.accelerator.device

    def share(self, items: int) -> list[int]:
        """Indices of the items that this process answers; every item belongs to exactly one process."""
        return list(range(self.accelerator.process_index, items, self.accelerator.num_processes))

    def agreed(self, value: T) -> T:
        """The main process's word, on all processes: what decides over a collective call must not differ between them."""
        words = [value]
        broadcast_object_list(words)
        return words[0]

    def gathered(self, part: dict[int, T]) -> list[T]:
        """All processes' answers in the order of their indices, the same list on every process."""
        return [answer for _, answer in sorted(gather_object(list(part.items())), key=lambda pair: pair[0])]

    def describe(self) -> dict[str, str | int]:
        """For the record: everything about the machine that may explain a difference."""
        gpu = self.torch.type == "cuda"
        return {
            "type": self.torch.type,
            "name": torch.cuda.get_device_name() if gpu else cpu_name(),
            "processes": self.accelerator.num_processes,
            "distributed": self.accelerator.distributed_type.value,
            "threads": torch.get_num_threads(),
            "precision": self.precision,
            "memory_bytes": torch.cuda.get_device_properties(0).total_memory if gpu else psutil.virtual_memory().total,
            "platform": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        }


def start(precision: Precision = "auto") -> Device:
    """Set up this process as its launcher asked.

    Raises:
        UserError: there are more processes than devices, or the launcher's processes are not connected.
    """
    world, local = processes(), int(os.environ.get("LOCAL_WORLD_SIZE") or 1)
    gpu = uses_gpu()
    devices = torch.cuda.device_count() if gpu else cores()
    if local > devices:
        kind = "GPUs" if gpu else "CPU cores"
        raise UserError(f"{local} processes were launched on this machine, but it has {devices} {kind}; lower --num_processes")
    chosen = resolve(precision)
    deepspeed = os.environ.get("ACCELERATE_USE_DEEPSPEED", "false").lower() == "true"
    # Under DeepSpeed on CPU, Accelerate finds no backend unless gloo is named.
    handlers = [InitProcessGroupKwargs(backend="gloo")] if deepspeed and not gpu else []
    mixed: Literal["bf16", "no"] = "bf16" if chosen == "bf16" else "no"
    accelerator = Accelerator(cpu=not gpu and not deepspeed, mixed_precision=mixed, kwargs_handlers=handlers)
    alone = accelerator.distributed_type == DistributedType.NO
    if accelerator.num_processes != world or (world > 1 and alone):
        raise UserError(
            f"the launcher started {world} processes, but Accelerate sees {accelerator.num_processes} "
            f"({accelerator.distributed_type.value}); "
            f"on CPU use `accelerate launch --config_file launch/cpu.yaml`"
        )
    if not gpu:
        memory.keep_freed_pages()
        # accelerate launch sets OMP_NUM_THREADS=1 for one process; all cores belong to us.
        torch.set_num_threads(max(1, cores() // local))
    return Device(accelerator, chosen)

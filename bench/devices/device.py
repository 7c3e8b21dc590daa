"""The one place that chooses device, precision, threads and processes.

A launcher's word is checked against what came: Accelerate falls back silently to one process, or to processes that never
talk to each other, and a benchmark must not.
"""

import platform
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs, broadcast_object_list, gather_object

from bench.devices import attention_gradient, dropout_draws, memory
from bench.devices.container import total_memory
from bench.devices.extensions import check_no_abandoned_lock
from bench.devices.hardware import Precision, cores, cpu_name, resolve, uses_gpu
from bench.devices.launched import NAMES, SHARDING, Launched, parallelism

T = TypeVar("T")

BUCKET = 50_000_000
"""Gradients that DeepSpeed sends at once. It keeps room for as many in fp32 on each GPU: of its own 500 million 2 GB, however
small the model is."""


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

    @property
    def sharded(self) -> bool:
        """Whether each process holds a part of every weight, so that all must ask a model together."""
        return parallelism(self.accelerator) in SHARDING

    def autocast(self) -> AbstractContextManager[None]:
        """The forward pass in the precision that was chosen; the same under every launcher."""
        return torch.autocast(self.torch.type, torch.bfloat16) if self.precision == "bf16" else nullcontext()

    @property
    def _distributed(self) -> str:
        kind = str(self.accelerator.distributed_type.value)
        return f"{kind} {NAMES[parallelism(self.accelerator)]}" if kind == "DEEPSPEED" else kind

    def share(self, items: int) -> list[int]:
        """Indices of the items that this process answers; every item belongs to exactly one process."""
        return list(range(self.accelerator.process_index, items, self.accelerator.num_processes))

    def agreed(self, value: T) -> T:
        """The main process's word, on all processes: what decides over a collective call must not differ between them."""
        words = [value]
        broadcast_object_list(words)
        return words[0]

    def each(self, value: T) -> list[T]:
        """Every process's value, in the order of their ranks, the same list on every process."""
        return self.gathered({self.accelerator.process_index: value})

    def gathered(self, part: dict[int, T]) -> list[T]:
        """All processes' answers in the order of their indices, the same list on every process."""
        return [answer for _, answer in sorted(gather_object(list(part.items())), key=lambda pair: pair[0])]

    def take_leave(self) -> None:
        """The processes have nothing more to tell each other: NCCL complains at the end where it was not told so."""
        self.accelerator.end_training()

    def describe(self) -> dict[str, str | int]:
        """For the record: everything about the machine that may explain a difference."""
        gpu = self.torch.type == "cuda"
        return {
            "type": self.torch.type,
            "name": torch.cuda.get_device_name() if gpu else cpu_name(),
            "processes": self.accelerator.num_processes,
            "distributed": self._distributed,
            "threads": torch.get_num_threads(),
            "precision": self.precision,
            "memory_bytes": torch.cuda.get_device_properties(self.torch).total_memory if gpu else total_memory(),
            "platform": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        }


def start(precision: Precision = "auto") -> Device:
    """Set up this process as its launcher asked.

    Raises:
        UserError: the launcher asked for what this machine or the libraries cannot do, or something else came of it.
    """
    launch, gpu = Launched.of(), uses_gpu()
    launch.check(torch.cuda.device_count() if gpu else 0, cores())
    chosen = resolve(precision)
    if deepspeed := launch.parallelism.startswith("zero"):
        check_no_abandoned_lock()
    # Under DeepSpeed on CPU, Accelerate finds no backend unless gloo is named.
    handlers = [InitProcessGroupKwargs(backend="gloo")] if deepspeed and not gpu else []
    mixed: Literal["bf16", "no"] = "bf16" if chosen == "bf16" and not deepspeed else "no"
    accelerator = Accelerator(cpu=not gpu and not deepspeed, mixed_precision=mixed, kwargs_handlers=handlers)
    launch.compare(accelerator)
    if deepspeed:
        configure(accelerator.state.deepspeed_plugin.deepspeed_config, chosen)
    elif launch.parallelism == "fsdp2":
        # Accelerate's policy converts all weights; autocast, as under every other launcher, those of matrix products alone.
        accelerator.state.fsdp_plugin.mixed_precision_policy = None
    if not gpu:
        memory.keep_freed_pages()
        dropout_draws.draw_in_blocks()
        if chosen == "bf16":
            attention_gradient.compute_in_fp32()
    # accelerate launch sets OMP_NUM_THREADS=1; all cores belong to us, also those beside GPUs: for what is read and offloaded.
    torch.set_num_threads(max(1, cores() // launch.local))
    return Device(accelerator, chosen)


def configure(deepspeed: dict[str, Any], precision: str) -> None:
    """DeepSpeed set up to compute what every other launcher does."""
    from transformers.integrations import unset_hf_deepspeed_config

    # It would make each from_pretrained give parts of weights, which then nothing puts together.
    unset_hf_deepspeed_config()
    # The loop cuts batches itself, so that the size has no effect. The optimiser is its own, also where moments are offloaded.
    deepspeed.update(train_micro_batch_size_per_gpu=1, zero_force_ds_cpu_optimizer=False)
    deepspeed["zero_optimization"]["reduce_bucket_size"] = BUCKET
    if precision == "bf16":
        # Its `bf16` converts all weights. No module's gradients are sent in bf16, as DDP sends none.
        deepspeed["torch_autocast"] = {"enabled": True, "dtype": "bfloat16", "lower_precision_safe_modules": []}

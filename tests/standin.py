"""A stand-in accelerator for machines without one: a torch device named `gpu`, whose tensors are held on the CPU.

    python tests/standin.py RESULTS SUITE,SUITE

Its arithmetic is the CPU's, so that results are equal. Its tensors refuse to meet those of the CPU, as a GPU's do: only a
single number may. So a forgotten `.to(device)` fails here instead of on a user's GPU. Run as a program, it does the runs of
suites on the CPU and on `gpu`. A device is registered for a whole process, so a test starts this file and never imports it.
"""

import json
import sys
from pathlib import Path

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "gpu"
aten = torch.ops.aten


class GpuTensor(torch.Tensor):
    """A tensor that says it is on `gpu` and keeps its values in `raw`, on the CPU."""

    @staticmethod
    def __new__(cls, raw):
        tensor = torch.Tensor._make_wrapper_subclass(
            cls, raw.size(), strides=raw.stride(), storage_offset=raw.storage_offset(), dtype=raw.dtype, device=f"{NAME}:0"
        )
        tensor.raw = raw
        return tensor

    def tolist(self):
        """A wrapper has no memory of its own for torch's to read."""
        return self.raw.tolist()

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func is aten._to_copy.default:
            return moved(args[0], **kwargs)
        if func is aten.copy_.default:
            return copied(args[1], args[0])
        return computed(func, args, kwargs)


def raw(value):
    return value.raw if isinstance(value, GpuTensor) else value


def moved(source, device=None, **kwargs):
    """The way between devices."""
    there = torch.device(device or NAME)
    values = aten._to_copy.default(raw(source), **kwargs, device="cpu")
    return values if there.type == "cpu" else GpuTensor(values)


def copied(source, target, non_blocking=False):
    raw(target).copy_(raw(source))
    return target


def computed(func, args, kwargs):
    """What the CPU gives for the values held there; of a result that is written into an argument, that argument."""
    known = {}

    def held(value):
        if isinstance(value, GpuTensor):
            known[id(value.raw)] = value
            return value.raw
        if isinstance(value, torch.Tensor) and value.dim() > 0:
            raise RuntimeError(f"{func}: a tensor on cpu, of shape {tuple(value.shape)}, meets one on {NAME}")
        return torch.device("cpu") if isinstance(value, torch.device) else value

    if "device" in kwargs:
        kwargs["device"] = torch.device("cpu")
    result = func(*tree_map(held, args), **tree_map(held, kwargs))
    return tree_map(lambda v: known.get(id(v), GpuTensor(v) if isinstance(v, torch.Tensor) else v), result)


def register():
    """Make the device known to torch, for the whole process."""
    _setup_privateuseone_for_python_backend(NAME)
    library = torch.library.Library("aten", "IMPL")
    library.impl("empty.memory_format", lambda size, dtype=None, **_: GpuTensor(torch.empty(size, dtype=dtype)), "PrivateUse1")
    library.impl(
        "empty_strided",
        lambda size, stride, dtype=None, **_: GpuTensor(torch.empty_strided(size, stride, dtype=dtype)),
        "PrivateUse1",
    )
    library.impl("_copy_from", copied, "PrivateUse1")
    # Moved weights stay the same objects, as on a GPU; else tied ones would part.
    torch.__future__.set_swap_module_params_on_conversion(True)
    return library


def become(device, there):
    """Make the process train and ask its models elsewhere. Each new AcceleratorState reads where from PartialState."""
    from accelerate import PartialState

    device.accelerator.state.device = PartialState._shared_state["device"] = there


def main(results, suites):
    from ways import VALIDATION_ITEMS
    from worlds import told

    from bench import quiet

    quiet.libraries(False)
    from bench.devices.device import start
    from bench.measuring import best_wording
    from bench.planning import plan
    from bench.planning.options import PlanOptions
    from bench.progress import Progress
    from bench.running.perform import perform

    best_wording.VALIDATION_ITEMS = VALIDATION_ITEMS
    kept = register()
    device, found = start("fp32"), {}
    with sdpa_kernel(SDPBackend.MATH):  # on both: torch's quicker attention on a CPU adds up in another order
        for name in ("cpu", NAME):
            become(device, torch.device(name))
            for suite in suites:
                for run in plan.plan(PlanOptions(suite, test_items=5), "fp32"):
                    record, items = perform(run, device, Progress(False, 1))
                    found.setdefault(name, {})[f"{run.suite}/{run.strategy.name}"] = told(record, items)
    Path(results).write_text(json.dumps(found))
    del kept  # the device's operations live as long as this does


if __name__ == "__main__":
    sys.path[0:0] = [str(Path(__file__).parents[1])]
    main(sys.argv[1], sys.argv[2].split(","))

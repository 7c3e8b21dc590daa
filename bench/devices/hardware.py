"""What this machine has: GPUs, CPU cores, and the precision that it multiplies fast."""

import math
import os
import platform
from functools import cache
from typing import Literal, cast, get_args

import torch
from accelerate.utils import parse_flag_from_env

from bench.devices.container import cpu_limit, total_memory
from bench.errors import UserError
from bench.processes.threads import CORES

Precision = Literal["auto", "fp32", "bf16"]
INSTRUCTION_VARIABLES = (
    "ATEN_CPU_CAPABILITY",
    "DNNL_DEFAULT_FPMATH_MODE",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "ONEDNN_MAX_CPU_ISA",
    "ONEDNN_DEFAULT_FPMATH_MODE",
)
"""Of torch, oneDNN and MKL, by which a user chooses among a processor's instructions."""
INSTRUCTION_FLAGS = ("avx", "amx", "fma", "f16c", "sse4", "asimd", "sve", "sme", "bf16", "i8mm")
"""What the names of the sets begin with that multiply and add, on x86 and on ARM."""


def uses_gpu() -> bool:
    """Whether there is a GPU and the launcher was not told to leave it alone (accelerate launch --cpu)."""
    return torch.cuda.is_available() and not parse_flag_from_env("ACCELERATE_USE_CPU")


def cores() -> int:
    """CPU cores this process may use, and in a container as many as it gets the time of."""
    if given := os.environ.get(CORES):
        return int(given)
    # taskset and Slurm may give a process fewer cores than the machine has, which cpu_count does not tell.
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = cpu_limit()
    return count if limit is None else max(1, min(count, math.ceil(limit)))


def processes() -> int:
    """How many the launcher started, on all machines together."""
    return int(os.environ.get("WORLD_SIZE") or 1)


def memory_bytes() -> int:
    """Memory that all processes have for a training, offloaded or not: a GPU's for each of them, and a machine's for those that
    share it."""
    gpu = torch.cuda.get_device_properties(0).total_memory if uses_gpu() else 0
    machines = math.ceil(processes() / int(os.environ.get("LOCAL_WORLD_SIZE") or processes()))
    return int(gpu) * processes() + total_memory() * machines


def placement() -> str:
    """The kind of device and the number of processes: what seconds of training are worth hangs on them."""
    return f"{'cuda' if uses_gpu() else 'cpu'} x {processes()}"


def requested(text: str) -> Precision:
    """A precision as the user names it.

    Raises:
        UserError: there is no such precision.
    """
    if text not in get_args(Precision):
        raise UserError(f"precision '{text}' is unknown; choose auto, fp32 or bf16")
    return cast(Precision, text)


def resolve(precision: Precision) -> Literal["fp32", "bf16"]:
    """`auto` is bf16 where the hardware multiplies it fast (GPUs from Ampere on, CPUs with AMX or AVX-512 BF16), else fp32."""
    if precision != "auto":
        return precision
    if uses_gpu():
        return "bf16" if torch.cuda.get_device_capability() >= (8, 0) else "fp32"
    return "bf16" if _multiplies_bf16() else "fp32"


def _multiplies_bf16() -> bool:
    """Whether the CPU has an instruction for it, and oneDNN, which multiplies by it, was not told to stop at an older set."""
    most = _onednn_setting("MAX_CPU_ISA", "ALL")
    # oneDNN's names of the sets that have one; AVX10_1_512 is another name of AVX512_CORE_FP16, which holds BF16.
    allowed = most in ("ALL", "DEFAULT") or any(name in most for name in ("AMX", "BF16", "FP16", "AVX10"))
    return allowed and bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def _onednn_setting(name: str, default: str) -> str:
    """What a user has oneDNN do by one of its variables, which it knows by two prefixes."""
    return (os.environ.get(f"ONEDNN_{name}") or os.environ.get(f"DNNL_{name}") or default).upper()


@cache  # asked at each product; oneDNN reads its variables once, too
def multiplies_fp32_by_onednn() -> bool:
    """Whether oneDNN multiplies fp32 matrices faster than MKL, by which torch multiplies them: on AMD's processors with
    AVX-512, which MKL leaves alone there. All that have it have its BF16 too."""
    amd = _cpu_entry("vendor_id") == "AuthenticAMD" and _multiplies_bf16() and not uses_gpu()
    # Told to round the numbers that it reads, oneDNN would not multiply in fp32.
    exact = _onednn_setting("DEFAULT_FPMATH_MODE", "STRICT") == "STRICT"
    return amd and exact and torch.backends.mkl.is_available() and torch.backends.mkldnn.is_available()


def instruction_sets() -> dict[str, str]:
    """By which instructions the processor computes, as far as libraries choose among them: what rounds alike under one name.

    Virtual machines call unlike processors the same, and a variable may keep a library from the newest ones.
    """
    told = {name: value for name in INSTRUCTION_VARIABLES if (value := os.environ.get(name))}
    flags = (_cpu_entry("flags") or _cpu_entry("Features")).split()
    known = " ".join(sorted(flag for flag in flags if flag.startswith(INSTRUCTION_FLAGS)))
    fp32 = {"fp32": "oneDNN"} if multiplies_fp32_by_onednn() else {}
    return {"flags": known, "torch": torch.backends.cpu.get_cpu_capability(), **fp32, **told}


def cpu_name() -> str:
    return _cpu_entry("model name") or platform.processor() or platform.machine()


@cache
def _cpu_entry(name: str) -> str:
    """What Linux says of the first core; empty where it says nothing."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith(name)), "")
    except OSError:
        return ""

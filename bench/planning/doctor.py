"""What this machine can do, measured or asked rather than guessed."""

import importlib.util
import os
import shutil
import urllib.request
from http.client import HTTPException

import torch
from rich.console import Console
from rich.table import Table

from bench import folders
from bench.devices import hardware
from bench.devices.container import available_memory, total_memory
from bench.devices.environment import versions
from bench.planning import estimate


def findings() -> list[tuple[str, str]]:
    """(what, answer) pairs."""
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    free = shutil.disk_usage(_existing(folders.cache())).free
    installed = [name for name in ("deepspeed", "ray") if importlib.util.find_spec(name)]
    return [
        ("CPU", f"{hardware.cpu_name()}, {hardware.cores()} cores"),
        ("GPUs", ", ".join(gpus) or "none"),
        ("fp32 matrix product", f"{estimate.speed() / 1e9:.0f} GFLOP/s"),
        ("precision of `auto`", hardware.resolve("auto")),
        ("memory", f"{available_memory() / 2**30:.1f} of {total_memory() / 2**30:.1f} GiB free"),
        ("cache", f"{folders.cache()} ({free / 2**30:.1f} GiB free)"),
        ("launchers", ", ".join(["accelerate", *installed])),
        ("hub", _hub()),
        *((name, number) for name, number in versions().items()),
    ]


def _existing(folder: os.PathLike[str]) -> str:
    path = os.path.abspath(folder)
    # The cache is made by who first needs it; until then its disk is that of a folder above.
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path


def _hub() -> str:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "offline (HF_HUB_OFFLINE)"
    try:
        with urllib.request.urlopen(constants.ENDPOINT, timeout=3):
            return f"{constants.ENDPOINT} answers"
    except (OSError, ValueError, HTTPException) as error:  # HF_ENDPOINT may be no address, and a server none of HTTP
        return f"{constants.ENDPOINT} cannot be reached ({type(error).__name__}); pinned wheels and local folders work"


def print_findings() -> None:
    table = Table(show_header=False)
    for what, answer in findings():
        table.add_row(what, answer)
    Console().print(table)

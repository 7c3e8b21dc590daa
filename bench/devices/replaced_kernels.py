"""Kernels of torch for a CPU that others take the place of."""

import warnings
from collections.abc import Callable
from typing import Any

import torch


def own_kernel(operator: str) -> Any | None:
    """Torch's own for `aten::operator`, or None where torch is too old to give it away."""
    return torch.library.get_kernel(f"aten::{operator}", "CPU") if hasattr(torch.library, "get_kernel") else None


def replace_kernel(operator: str, kernel: Callable[..., Any]) -> torch.library.Library:
    """Let `kernel` take its place. It gets the dispatcher's keys first, which `own_kernel(...).call_boxed` wants back. Whoever
    lets go of what is returned takes it back."""
    library = torch.library.Library("aten", "IMPL")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*\s+Overriding a previously registered kernel")  # that is what is meant
        library.impl(operator, kernel, "CPU", with_keyset=True, allow_override=True)
    return library

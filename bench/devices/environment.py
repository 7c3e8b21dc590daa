"""The environment in which a question is answered: versions of what computes, the kind of device, the precision.

It is no part of a run's id, so that a plan is the same on every machine; it stands beside it in the record.
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from bench.hashing import digest

COMPUTING = ("torch", "transformers", "tokenizers", "peft", "bitsandbytes", "numpy", "gguf")
"""Packages whose version may change a number."""
TOLD_BESIDE = ("datasets", "accelerate", "evaluate", "deepspeed", "scikit-learn")
"""Packages that are told all the same, for whoever looks for a difference."""


def versions() -> dict[str, str]:
    """Installed versions of the packages that can change a result, or help to explain one."""
    return _installed_versions(*COMPUTING, *TOLD_BESIDE)


def environment(device_type: str, precision: str) -> dict[str, str]:
    """What answers the question here: versions by package, `device` (cpu, cuda, ...), and the resolved `precision`."""
    return {**_installed_versions(*COMPUTING), "device": device_type, "precision": precision}


def environment_id(environment: Mapping[str, str]) -> str:
    """16 hex digits: equal where two runs of one id were answered alike, up to the machine's own rounding."""
    return digest(dict(environment))


def _installed_versions(*packages: str) -> dict[str, str]:
    return {package: found for package in packages if (found := _version(package))}


@cache
def _version(package: str) -> str | None:
    """Read once in a process: each key under which a base's answers are kept names them all."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None

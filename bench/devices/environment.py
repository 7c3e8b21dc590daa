"""The installed versions of what can change a result."""

from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "datasets", "accelerate", "evaluate", "deepspeed", "scikit-learn")


def versions() -> dict[str, str]:
    """Installed versions of the packages that can change a result."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

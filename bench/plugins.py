"""One file, one class: the class of a package's module, found by the module's name."""

import importlib
import pkgutil
from types import ModuleType
from typing import TypeVar

from bench.errors import unknown

_Kind = TypeVar("_Kind")

HELPERS = {"base", "templates"}
"""Modules of a package that define no kind."""


def kinds(package: ModuleType) -> list[str]:
    """Kinds that a package offers, as YAML writes them."""
    return sorted(
        module.name.replace("_", "-") for module in pkgutil.iter_modules(package.__path__) if module.name not in HELPERS
    )


def as_listed(kind: str) -> str:
    """A kind as `kinds` lists it: YAML may write it with underscores, as its file has them."""
    return kind.replace("_", "-")


def load_class(package: ModuleType, kind: str, base: type[_Kind], what: str) -> type[_Kind]:
    """The subclass of `base` that the module `kind` defines; `what` is the word for such a kind in messages.

    Raises:
        UserError: there is no such module.
    """
    if as_listed(kind) not in (known := kinds(package)):
        raise unknown(what, kind, known)
    module = importlib.import_module(f"{package.__name__}.{kind.replace('-', '_')}")
    (own_class,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    )
    return own_class

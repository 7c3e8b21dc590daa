"""Names of our modules in tests, which mypy doesn't read. A slow test would tell of a lost one only when it is run."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PATHS = [path for room in ("bench", "reports", "baselines", "tests") for path in (ROOT / room).rglob("*.py")]
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in PATHS}
MODULES |= {path.stem: path for path in (ROOT / "tests").glob("*.py")}  # what tests share is imported so
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
LOOKS_INTO = {"setattr", "getattr", "hasattr", "vars", "object", "Once"}
"""Functions that want a module itself, to look into it or to put something else in the place of one of its names; `object` is
that of mock.patch, and Once that of tests/bench/runs/test_run_folder.py."""


@cache
def offered(module: str) -> set[str]:
    """What a module's top level defines or imports, and the modules below it."""
    names = {name.rpartition(".")[2] for name in MODULES if name.rpartition(".")[0] == module}
    for node in ast.parse(MODULES[module].read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        else:
            within = list(ast.walk(node))
            names |= {each.id for each in within if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
            names |= {alias.asname or alias.name for each in within for alias in getattr(each, "names", [])}
    return names


def lacking(module: str, name: str) -> Iterator[str]:
    if name not in offered(module) and not name.startswith("__"):  # what every module has
        yield f"{module} has no {name}"


def imported(tree: ast.Module) -> dict[str, str]:
    """Names that stand for modules of ours, and which they stand for."""
    nodes = list(ast.walk(tree))
    whole = [alias for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    found = {alias.asname or alias.name: alias.name for alias in whole}
    parts = [(node.module, alias) for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names]
    found |= {alias.asname or alias.name: f"{module}.{alias.name}" for module, alias in parts}
    return {name: module for name, module in found.items() if module in MODULES}


def bound(function: ast.AST) -> set[str]:
    """Names that a function has for itself: there they stand for no module."""
    within = list(ast.walk(function))
    stored = {each.id for each in within if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    return stored | {each.arg for each in within if isinstance(each, ast.arg)}


def handed_on(call: ast.Call, modules: dict[str, str]) -> Iterator[str]:
    """Modules that are given to what wants no module, and names that are looked for in one and aren't there."""
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = [*call.args, *(word.value for word in call.keywords)]
    named = [each.id for each in given if isinstance(each, ast.Name) and each.id in modules]
    if function not in LOOKS_INTO:
        yield from (f"{function} is given {modules[name]}" for name in named)
    elif named and isinstance(wanted := given[1] if len(given) > 1 else None, ast.Constant):
        yield from lacking(modules[named[0]], str(wanted.value))


def faults(node: ast.AST, modules: dict[str, str]) -> Iterator[str]:
    """Each with the number of its line."""
    found: list[str] = []
    if isinstance(node, FUNCTIONS):
        own = bound(node)
        modules = {name: module for name, module in modules.items() if name not in own}
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
        found = [*lacking(modules[node.value.id], node.attr)]
    elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
        found = [fault for alias in node.names for fault in lacking(node.module, alias.name)]
    elif isinstance(node, ast.Call):
        found = [*handed_on(node, modules)]
    yield from (f"{node.lineno}: {fault}" for fault in found)
    for child in ast.iter_child_nodes(node):
        yield from faults(child, modules)


def faults_of(text: str) -> list[str]:
    tree = ast.parse(text)
    return list(faults(tree, imported(tree)))


def test_tests_ask_modules_for_what_they_have_and_hand_none_on():
    texts = {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in PATHS if path.is_relative_to(ROOT / "tests")}
    assert {str(path): found for path, text in texts.items() if (found := faults_of(text))} == {}


PLANTED = """
from bench.inference import generation, likelihood as likely, prefix_cache

def early(model, PARAMETER, rows):
    import workers
    from bench.tokens.batches import IMPORTED
    workers.SHARED()
    return generation.pass_likelihoods(model, GIVEN, rows)

def patched(monkeypatch):
    monkeypatch.setattr(likely, "PATCHED", early)
"""
RIGHT = {"PARAMETER": "reading", "IMPORTED": "order", "SHARED": "imagined", "GIVEN": "reading", "PATCHED": "root"}


@pytest.mark.parametrize(
    ("lost", "found"),
    [
        ({}, []),
        ({"PARAMETER": "prefix_cache", "GIVEN": "prefix_cache"}, []),
        ({"GIVEN": "prefix_cache"}, ["8: pass_likelihoods is given bench.inference.prefix_cache"]),
        ({"GIVEN": "prefix_cache.reading"}, ["8: bench.inference.prefix_cache has no reading"]),
        ({"IMPORTED": "orders"}, ["6: bench.tokens.batches has no orders"]),
        ({"SHARED": "imagination"}, ["7: workers has no imagination"]),
        ({"PATCHED": "roots"}, ["11: bench.inference.likelihood has no roots"]),
    ],
)
def test_names_that_were_lost_are_found(lost, found):
    text = PLANTED
    for place, name in (RIGHT | lost).items():
        text = text.replace(place, name)
    assert faults_of(text) == found

"""The house's own measures: one name for one thing, small functions and files, and a test file for every module."""

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = {
    path.relative_to(ROOT): ast.parse(path.read_text()) for room in ("bench", "reports") for path in (ROOT / room).rglob("*.py")
}
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef

TYPER = "bench/commands/"
"""A command's options are its function's parameters."""

TOLD_MOMENTS = {
    "bench/commands/exchange.py": "when an export was made",
    "bench/commands/gate.py": "when a baseline was accepted",
    "bench/inference/chat.py": "the date until which a server wants to be left alone, which is bounded",
    "bench/placing/view.py": "when a status was written",
    "bench/processes/ranks.py": "when a process failed, for torch's report",
    "bench/progress.py": "when a status was written",
    "bench/running/perform.py": "when a run began",
    "bench/watching/status.py": "when a process began, and whether another is silent for a day, which its next word mends",
    "bench/watching/view.py": "for how long nothing was heard of a process, which nothing hangs on",
}
"""Modules that ask the system's clock, which may be set back and forth while they run, and for which moment that is told."""
CLOCKS = ("time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today")
WRITES = {"write_text", "write_bytes", "open", "touch", "mkdir", "to_parquet", "save_file", "save_pretrained"}
WRITES |= {"to_csv", "to_json", "savefig", "copyfile", "copytree", "rename", "replace_with"}
TELLS = {"writing", "partial", "making_once", "faults_told"}
"""Functions of bench.folders under which a full or a read-only disk becomes a sentence, and nothing is left half-written."""
WRITTEN_OTHERWISE = {
    "bench/devices/memory.py:_reset_high_water": "a file of the kernel's",
    "bench/measuring/in_hand.py:_is_in_hand": "does without, where it fails",
    "bench/modeling/replay/activations.py:__init__": "called by one that does without, where it fails",
    "bench/modeling/replay/activations.py:kept_states": "does without, where it fails",
    "bench/modeling/mapped_copy.py:_convert": "called under making_once",
    "bench/modeling/mapped_copy.py:_write": "called under making_once",
    "bench/modeling/model_files.py:_convert_gguf": "called under making_once",
    "bench/modeling/model_files.py:_extract": "called under making_once",
    "bench/processes/ranks.py:_speaks_first": "does without, where it fails",
    "bench/processes/ranks.py:tell_killed": "does without, where it fails",
    "bench/processes/ranks.py:write_for_launcher": "does without, where it fails",
    "bench/running/tracking.py:_start_trackers": "called under faults_told",
    "reports/paper/plot.py:_svg": "into memory",
    "reports/paper/sweep_figure.py:sweep_figure": "into memory",
    "bench/leases/owner.py:beat": "called under faults_told, and later by a thread that tries again",
}
"""Functions that write, and why they may do so without these."""

UNPICKLES = {"load_state", "load_checkpoint", "load_accelerator_state", "Unpickler"}
"""Accelerate's and DeepSpeed's readers of checkpoints, which call torch.load with weights_only=False: a file that somebody else
has written would run its code. Ours are safetensors and JSON."""


DEFINED_AGAIN = {"__all__": "Python's own name for what a module offers"}
"""Names that several modules define, and why each may be."""


def defined(tree: ast.Module) -> set[str]:
    """The names of a module's top level, private ones too: classes, functions, constants and types."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, FUNCTIONS | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return names - DEFINED_AGAIN.keys()


def functions() -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    return [
        (f"{path}:{node.name}", node)
        for path, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, FUNCTIONS)
    ]


def has_code(tree: ast.Module) -> bool:
    """Whether there is anything to be tested: fields, constants and words have no behaviour of their own."""
    return any(isinstance(node, FUNCTIONS | ast.Lambda) for node in ast.walk(tree))


def test_a_name_is_defined_in_one_module():
    """Whoever looks for a name finds one place. A helper is no exception: it says of what it gives a part, a row, a mean."""
    where = defaultdict(set)
    for path, tree in MODULES.items():
        for name in defined(tree):
            where[name].add(str(path))
    assert {name: paths for name, paths in where.items() if len(paths) > 1} == {}


def test_functions_are_short():
    long = {name for name, node in functions() if node.end_lineno - node.lineno >= 49}
    assert long == set()


def test_functions_have_few_parameters():
    many = set()
    for name, node in functions():
        parts = node.args
        given = [*parts.posonlyargs, *parts.args, *parts.kwonlyargs]
        count = len([each for each in given if each.arg not in ("self", "cls")]) + sum(
            each is not None for each in (parts.vararg, parts.kwarg)
        )
        if count > 7 and not name.startswith(TYPER):
            many.add(name)
    assert many == set()


def test_files_are_short():
    assert {str(path) for path in MODULES if len((ROOT / path).read_text().splitlines()) > 300} == set()


def test_a_module_has_a_test_file_of_its_name():
    missing = set()
    for module, tree in MODULES.items():
        name = "test_package.py" if module.name == "__init__.py" else f"test_{module.name}"
        if has_code(tree) and not (ROOT / "tests" / module.parent / name).is_file():
            missing.add(str(module))
    assert missing == set()


def writes(node: ast.AST) -> bool:
    """Whether it calls what makes or changes a file, and is none of bench.folders' own functions."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "open":  # a mode is a literal here
        given = [each.value for each in (*node.args, *(word.value for word in node.keywords)) if isinstance(each, ast.Constant)]
        return any(isinstance(mode, str) and set(mode) & set("wax+") and set(mode) <= set("rwaxbt+") for mode in given)
    of = node.func.value if isinstance(node.func, ast.Attribute) else None
    return name in WRITES and not (name == "write_text" and (of is None or getattr(of, "id", "") == "folders"))


def telling(node: ast.AST) -> bool:
    calls = [each.context_expr for each in node.items] if isinstance(node, ast.With) else []
    names = {getattr(call.func, "attr", getattr(call.func, "id", "")) for call in calls if isinstance(call, ast.Call)}
    return bool(names & TELLS)


def untold(node: ast.AST, function: str = "", told: bool = False) -> set[str]:
    """Functions below the node that write where nothing tells of a full disk."""
    function = node.name if isinstance(node, FUNCTIONS) else function
    told = telling(node) or (told and not isinstance(node, FUNCTIONS))
    found = {function} if writes(node) and not told else set()
    return found.union(*(untold(child, function, told) for child in ast.iter_child_nodes(node)))


def test_files_are_written_where_a_full_disk_is_told():
    found = {f"{path}:{name}" for path, tree in MODULES.items() if path.name != "folders.py" for name in untold(tree)}
    assert found == set(WRITTEN_OTHERWISE)


def test_durations_are_by_no_clock_that_can_be_set():
    asked = {
        str(path)
        for path, tree in MODULES.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and ast.unparse(node).endswith(CLOCKS))
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "time"
            and {each.name for each in node.names} & {"time", "time_ns"}
        )
    }
    assert asked == set(TOLD_MOMENTS)


def unpickles(tree: ast.Module) -> set[str]:
    """What of it reads a file whose content can run code; torch's and Python's own readers are called `load`, as others are."""
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    found = {f"{ast.unparse(node.value)}.{node.attr}" for node in attributes}
    found |= {f"{node.module}.{each.name}" for node in imports for each in node.names}
    whole = {name for name in found if name.rpartition(".")[2] in UNPICKLES}
    return whole | {name for name in found if re.fullmatch(r"(torch(\.\w+)*|c?pickle|joblib)\.loads?", name)}


def test_what_reads_pickles_is_seen():
    for line in ("torch.load(path)", "from torch import load", "from torch.serialization import load as read"):
        assert unpickles(ast.parse(line))
    for line in ("accelerator.load_state(path)", "self.engine.load_checkpoint(path)", "import pickle; pickle.loads(data)"):
        assert unpickles(ast.parse(line))
    assert not unpickles(ast.parse("json.load(file); model.load_state_dict(weights); checkpoint.load(path)"))


def test_no_file_that_is_read_can_run_code():
    assert {str(path): found for path, tree in MODULES.items() if (found := unpickles(tree))} == {}

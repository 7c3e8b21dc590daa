"""Whether there is what compiles a model's blocks, before a run trains for which they are to be compiled."""

import sysconfig
from collections.abc import Iterable
from pathlib import Path

from bench.errors import UserError
from bench.runs.run import Run


def check_compilers(runs: Iterable[Run]) -> None:
    """
    Raises:
        UserError: blocks are to be compiled, and this machine has no C++ compiler, or lacks the header files of Python.
    """
    compiled = [run.strategy.name for run in runs if run.strategy.compiles]
    if compiled and (lack := lacking()):
        fault = f"strategy '{compiled[0]}' has its blocks compiled, and this machine {lack}"
        raise UserError(f"{fault}, or leave out {compiled[0]}.compile")


def lacking() -> str | None:
    """What this machine has not, of what compiling takes, and what to do; None where it has all."""
    from torch._inductor.cpp_builder import get_cpp_compiler  # takes two seconds
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        return "has no C++ compiler: install g++ (or name another in the environment variable CXX)"
    # What is compiled becomes a module of Python.
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "has no header files of Python: install python3-dev"
    return None

"""Whether there is what compiles a model's blocks, before a run trains for which they are to be compiled."""

from collections.abc import Iterable

from bench.errors import UserError
from bench.runs.run import Run


def check_compilers(runs: Iterable[Run]) -> None:
    """
    Raises:
        UserError: blocks are to be compiled, and this machine has no C++ compiler.
    """
    compiled = [run.strategy.name for run in runs if run.strategy.compiles]
    if not compiled:
        return
    from torch._inductor.cpp_builder import get_cpp_compiler  # takes two seconds
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler as error:
        raise UserError(
            f"strategy '{compiled[0]}' has its blocks compiled, and this machine has no C++ compiler: install g++ (or name "
            f"another in the environment variable CXX), or leave out {compiled[0]}.compile"
        ) from error

"""What is wrong with a command is told at once where that needs no torch, which takes each of its processes seconds to load."""

from collections.abc import Sequence

from bench.errors import UserError, unknown
from bench.planning.options import PlanOptions
from bench.planning.settings import parse
from bench.specs.budget import Budget
from bench.specs.library import Library, suites_for
from bench.specs.probe_every import checked_stride
from bench.specs.probe_power import probe_power


def first_look(options: PlanOptions) -> None:
    """What the plan finds too, in the same words, as far as names, numbers and YAML files tell it.

    Raises:
        UserError: something that was asked for is wrong.
    """
    checked_stride(options.probe_every)
    if options.probe_power:
        probe_power(options.probe_power)
    if options.budget:
        Budget.parse(options.budget)
    suites = suites_for(options.suite)
    strategies = []
    for library, suite in suites:
        named = chosen("strategy", options.strategies, suite.strategies, library)
        strategies += [library.strategy(name).name for name in named]
        # Of several suites each takes those of the named tasks that it has.
        tasks = options.tasks if len(suites) == 1 else None
        for name in chosen("task", tasks, suite.stages or suite.tasks, library):
            library.task(name)
    parse(options.settings, strategies)


def chosen(what: str, named: Sequence[str] | None, of_suite: Sequence[str], library: Library) -> list[str]:
    """The suite's names, or those of the command line, in the suite's order; others of the library may be named too.

    Raises:
        UserError: there is none of a name, or none is named.
    """
    if named is None:
        return list(of_suite)
    if not named:
        raise UserError(f"no {what} is named; leave the option out for all of the suite's: {', '.join(of_suite)}")
    known = library.names("tasks" if what == "task" else "strategies")
    for name in named:
        if name not in known and not name.endswith((".yaml", ".yml")):
            raise unknown(what, name, {*known, *of_suite})
    return [name for name in of_suite if name in named] + [name for name in dict.fromkeys(named) if name not in of_suite]

"""Which work gets several GPUs: what one does not hold, and all of it where there is less work than there are GPUs."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from bench.errors import UserError
from bench.placing.costs import bytes_held
from bench.placing.slot import Slot
from bench.placing.slots import gpu_slots
from bench.preflight.parallelism import check_parallelism
from bench.running.assignments import Assignment
from bench.runs.run import Run


def teams(gpus: Sequence[str], room: int, works: Sequence[Assignment]) -> list[tuple[list[Slot], list[Assignment]]]:
    """The workers that do each part of the work: those of most GPUs first, all of one size at a time, so that none waits for
    others to become free.

    Where one GPU holds a run, several average their gradients (DDP); where it does not, they share out the weights (FSDP2).

    Args:
        room: bytes that a GPU holds.
    """
    groups, count = defaultdict(list), len(gpus)
    for work in works:
        needed = gpus_needed(work.run, count, room) or count
        groups[count // (count // needed)].append(work)  # so that none is left over
    parts = []
    for size, group in sorted(groups.items(), reverse=True):
        several = max(size, min(count // len(group), *(_most_gpus(work.run) for work in group)))
        launch = "fsdp2" if size > 1 else "gpus" if several > 1 else ""
        parts.append((gpu_slots(gpus, several, launch), group))
    return parts


def gpus_needed(run: Run, most: int, room: int) -> int | None:
    """How many hold the run together; None where so many do not."""
    return next((count for count in range(1, most + 1) if bytes_held(run, count) <= room), None)


def _most_gpus(run: Run) -> int:
    """How many may share its examples: each has one of every step, at least. Seconds are worth more on several GPUs, and the
    run's id says one."""
    return 1 if run.placement else run.batch


def check_held(runs: Iterable[Run], gpus: int, room: int) -> None:
    """Refuse the runs that all GPUs together don't hold, or that can't be shared out among them, or may not be since seconds
    limit them.

    Raises:
        UserError: one of them is so; nothing has started by then.
    """
    for run in runs:
        if (needed := gpus_needed(run, gpus, room)) == 1:
            continue
        check_parallelism([run], "fsdp2")
        if needed is None:
            each = f", {bytes_held(run, gpus) / 1e9:.1f} on each of {gpus} GPUs" if gpus > 1 else ""
            why = f"is planned to hold {bytes_held(run) / 1e9:.1f} GB{each}, and a GPU here has {room / 1e9:.1f}"
            instead = "give --budget a ceiling such as 8GB, or use `tunebench run --launch zero3-offload`"
            raise UserError(f"{run.label} {why}; {instead}")
        if run.placement:
            why = f"is planned to need {needed} GPUs, and the seconds of its budget are planned for {run.placement}"
            raise UserError(f"{run.label} {why}; use `tunebench run --launch fsdp2`, or a budget without seconds")

"""What of a model a machine's own memory holds while the processes of a launcher read it, to share its weights out."""

from collections.abc import Iterator, Sequence

from bench.devices.launched import NAMES, Parallelism
from bench.preflight.copies import copies
from bench.runs.run import Run


def host_memory(runs: Sequence[Run], sharing: Parallelism) -> Iterator[str]:
    """In sentences; none where each process reads a whole model for its own device."""
    for copy in copies(runs, sharing):
        name, size = copy.model.name, copy.bits // 8 * sum(weight.numel() for weight in copy.model.bare_shape().parameters())
        own = f"its own files, which hold it in {copy.bits} bit"
        other = f"one copy of it in {copy.bits} bit in the cache"
        read = (other if copy.needed else own) if copy.model.at_hand else f"{own}, or else {other}"
        yield (
            f"{name}: under {NAMES[sharing]}, all processes of a machine map {read}: {size / 1e9:.2f} GB that they share, and "
            "that the system reads again where it needs the room"
        )

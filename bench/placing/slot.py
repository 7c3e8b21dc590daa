"""A worker's part of a machine."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Slot:
    """Which devices and cores a worker has."""

    number: int
    cores: tuple[int, ...] = ()
    """By their numbers; empty where somebody else chooses them."""
    gpu: str | None = None
    """As `CUDA_VISIBLE_DEVICES` names it; None where there is none, or where that is set already."""
    threads: int = 0
    """Where the cores are not known by their numbers."""
    place: str = ""
    """Of a cluster, for a person to read."""

    @property
    def name(self) -> str:
        """For a person to read."""
        if self.place:
            return f"{self.place} {self.number}"
        if self.gpu is not None:
            return f"GPU {self.gpu}"
        return f"core {self.cores[0]}" if len(self.cores) == 1 else f"{len(self.cores)} cores"

    @property
    def variables(self) -> dict[str, str]:
        """Of the worker's environment, which libraries read while they are loaded."""
        threads = len(self.cores) or self.threads
        found = {"OMP_NUM_THREADS": str(threads)} if threads else {}
        return found if self.gpu is None else found | {"CUDA_VISIBLE_DEVICES": self.gpu}

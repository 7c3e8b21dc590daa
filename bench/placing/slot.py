"""A worker's part of a machine."""

from dataclasses import dataclass

from bench.processes.threads import CORES


@dataclass(frozen=True)
class Slot:
    """Which devices and cores a worker has."""

    number: int
    cores: tuple[int, ...] = ()
    """By their numbers; empty where somebody else chooses them."""
    gpus: tuple[str, ...] = ()
    """As `CUDA_VISIBLE_DEVICES` names them; empty where there are none."""
    launch: str = ""
    """The file of launch/ that starts a process on each of its GPUs; empty where one process is the worker."""
    threads: int = 0
    """Where the cores are not known by their numbers, or where it gets the time of fewer than it sees."""
    place: str = ""
    """Of a cluster, for a person to read."""

    @property
    def processes(self) -> int:
        return len(self.gpus) if self.launch else 1

    @property
    def name(self) -> str:
        """For a person to read."""
        if self.place:
            return f"{self.place} {self.number}"
        if self.gpus:
            return f"GPU{'s' if len(self.gpus) > 1 else ''} {', '.join(self.gpus)}"
        return f"core {self.cores[0]}" if len(self.cores) == 1 else f"{len(self.cores)} cores"

    @property
    def variables(self) -> dict[str, str]:
        """Of the worker's environment, which libraries read while they are loaded."""
        threads = self.threads or len(self.cores)
        variables = {"OMP_NUM_THREADS": str(max(1, threads // self.processes))} if threads else {}
        variables |= {CORES: str(self.threads)} if self.threads else {}
        return variables | ({"CUDA_VISIBLE_DEVICES": ",".join(self.gpus)} if self.gpus else {})

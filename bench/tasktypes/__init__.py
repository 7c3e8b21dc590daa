"""Task types: what an example's answer looks like, in words for decoders and as a head for encoders. One file each."""

from bench import plugins
from bench.specs import TaskSpec
from bench.tasktypes.base import TaskType

__all__ = ["TaskType", "load"]


def load(spec: TaskSpec) -> TaskType:
    """The task's type object.

    Raises:
        UserError: the task names a type that does not exist.
    """
    import bench.tasktypes as package

    return plugins.load(package, spec.type, TaskType)(spec)  # type: ignore[type-abstract]

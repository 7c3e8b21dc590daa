"""Task types: what an example's answer looks like, in words for decoders and as a head for encoders. One file each."""

from pydantic import ValidationError

from bench import metrics, plugins
from bench.errors import UserError, unknown
from bench.once_per_object import once_per_object
from bench.specs.base import explain
from bench.specs.task import TaskSpec
from bench.tasks.types.base import TaskType

__all__ = ["TaskType", "check_type", "task_type", "type_class"]


def check_type(kind: str, where: str) -> None:
    """Raises UserError, which names `where` it stands, if there is no such type."""
    import bench.tasks.types as package

    # As it is listed: a strategy finds a type's values by this name.
    if kind not in (known := plugins.kinds(package)):
        raise UserError(f"{where}: {unknown('task type', kind, known)}")


def type_class(spec: TaskSpec) -> type[TaskType]:
    """The class of the task's type.

    Raises:
        UserError: the task names a type that does not exist.
    """
    import bench.tasks.types as package  # itself: a type is found by its file's name, and nothing lists them

    return plugins.load_class(package, spec.type, TaskType, "task type")  # type: ignore[type-abstract]


@once_per_object
def task_type(spec: TaskSpec) -> TaskType:
    """The task's type object.

    Raises:
        UserError: the task names a type that does not exist, or its type finds a fault in it.
    """
    kind = type_class(spec)
    try:
        task = kind(spec, kind.Options.model_validate(spec.options))
    except ValidationError as error:
        raise UserError(f"task '{spec.name}', options: {explain(error, kind.Options)}") from error
    if fault := task.fault() or _missing(task) or _unmeasured(task):
        raise UserError(f"task '{spec.name}': {fault}")
    return task


def _missing(task: TaskType) -> str | None:
    sources = task.spec.sources()
    hidden = (task.gold | task.used) - task.made
    if unread := task.named() & hidden:
        shown = (set.intersection(*(set(source.columns) for source in sources)) - hidden) | task.made
        return f"a template names {{{min(unread)}}}, which no model is shown; it may name {', '.join(sorted(shown))}"
    for source in sources:
        if missing := task.columns() - set(source.columns):
            return (
                f"a source has no column '{min(missing)}', which the task needs; its columns give {', '.join(source.columns)}"
            )
    given = {field for source in sources for field in source.fields_given}
    if task.spec.cluster and task.spec.cluster not in given:
        return f"field 'cluster': no source gives '{task.spec.cluster}'; they give {', '.join(sorted(given))}"
    return None


def _unmeasured(task: TaskType) -> str | None:
    for name in task.spec.metrics:
        if _metric_values(name) != task.values:
            fitting = (other for other in metrics.metric_names() if _metric_values(other) == task.values)
            return f"metric '{name}' does not fit a {task.spec.type} task; these do: {', '.join(fitting)}"
    return None


def _metric_values(name: str) -> tuple[object, object]:
    metric = metrics.counted(name)
    return metric.prediction, metric.reference

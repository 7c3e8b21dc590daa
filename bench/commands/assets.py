"""Pinned models and data inside PyPI wheels."""

from typing import Annotated

import typer

ASSETS = typer.Typer(no_args_is_help=True, help=__doc__)


@ASSETS.command("list")
def assets_list() -> int:
    """Pinned assets: package, version, licence, and whether they are in the cache."""
    from bench.data import assets

    for name, pin in assets.pinned().items():
        state = "cached" if assets.archive_path(name).exists() else "-"
        print(f"{name:<12} {pin.package}=={pin.version}  {pin.license}  {state}")
    return 0


@ASSETS.command("fetch")
def assets_fetch(wanted: Annotated[list[str] | None, typer.Argument(help="Names; all without them.")] = None) -> int:
    """Download assets into the cache, their hashes checked."""
    from bench.data import assets

    for name in wanted or assets.pinned():
        print(assets.fetch(name))
    return 0


@ASSETS.command("verify")
def assets_verify() -> int:
    """Check the hash of every asset in the cache."""
    from bench.data import assets

    for name in assets.pinned():
        if assets.archive_path(name).exists():
            assets.check_hash(assets.archive_path(name), name)
            print(f"{name}: ok")
    return 0

"""Pinned models and data inside PyPI wheels."""

from typing import Annotated

import typer

from bench.errors import UserError

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
def assets_fetch(
    wanted: Annotated[list[str] | None, typer.Argument(help="Names; all without them.")] = None,
    suite: Annotated[str | None, typer.Option(help="All that a suite reads: models, tasks, probes, rehearsal.")] = None,
    model: Annotated[str | None, typer.Option(help="With --suite: the model to be run instead of the suite's own.")] = None,
) -> int:
    """Download assets into the cache, their hashes checked; with --suite all that its runs read: they then need no network."""
    from bench.data import assets

    if suite is not None:
        # Planning a suite imports packages that chatter; fetching by name imports none.
        from bench import quiet

        quiet.libraries(False)
        from bench.planning.fetching import fetch_all

        for line in fetch_all(suite, model):
            print(line)
    elif model is not None:
        raise UserError("--model says whose files a suite needs; name the suite too, by --suite")
    for name in wanted or ([] if suite else assets.pinned()):
        print(assets.fetch(name))
    return 0


@ASSETS.command("verify")
def assets_verify() -> int:
    """Check the hash of every asset in the cache."""
    from bench.data import assets

    # All are looked at before any is told of, so that one command mends all that is damaged.
    cached = [name for name in assets.pinned() if assets.archive_path(name).exists()]
    damaged = [name for name in cached if not assets.is_pinned(name)]
    for name in cached:
        print(f"{name}: {'another file than the pinned one' if name in damaged else 'ok'}")
    if damaged:
        raise UserError(
            f"damaged: {', '.join(damaged)}; fetch again what is damaged: tunebench assets fetch {' '.join(damaged)}"
        )
    return 0

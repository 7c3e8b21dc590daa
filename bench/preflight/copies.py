"""The copies of models from which processes load that share weights out: which there will be, and whether the disk has room."""

import shutil
from collections.abc import Iterable

from bench import folders
from bench.devices.launched import NAMES, SHARDING, Parallelism
from bench.errors import UserError
from bench.modeling.mapped_copy import MappedCopy
from bench.runs.run import Run


def copies(runs: Iterable[Run], sharing: Parallelism) -> list[MappedCopy]:
    """One for each model and each number of bits in which it is loaded: as the untouched model, and to be trained."""
    if sharing not in SHARDING:
        return []
    found = {}
    for run in runs:
        if run.unfit or run.model.checkpoint is None:
            continue
        for bits in (run.model.reference_bits, *([run.strategy.bits] if run.strategy.trains else [])):
            found[run.model.content_hash, bits] = MappedCopy(run.checkpoint, bits)
    return list(found.values())


def check_copies(runs: Iterable[Run], sharing: Parallelism) -> None:
    """Refuse the runs whose copies the disk of the cache has no room for.

    Raises:
        UserError: it has not; nothing has started by then.
    """
    missing = {copy: copy.missing_bytes for copy in copies(runs, sharing) if copy.model.at_hand}
    cache = folders.cache()
    if sum(missing.values()) > (free := shutil.disk_usage(cache).free if any(missing.values()) else 0):
        named = ", ".join(f"'{copy.model.name}' in {copy.bits} bit" for copy, size in missing.items() if size)
        raise UserError(
            f"where {NAMES[sharing]} shares weights out, all processes of a machine read {named} from a copy in the cache, of "
            f"{sum(missing.values()) / 1e9:.1f} GB, and {cache} has {free / 1e9:.1f} GB free; free some space there, or name "
            "another folder by TUNEBENCH_CACHE"
        )

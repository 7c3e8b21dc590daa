"""A table of answers that is measured once: kept as Parquet, and read from there by whoever asks again."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow

from bench import folders
from bench.devices.device import Device


def cached_frame(path: Path, device: Device, measure: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """What lies at `path`, or is measured now and put there; the same on all processes, of which the main one alone reads."""
    known = device.agreed(read_frame(path) if device.main else None)
    if known is not None:
        return known
    frame = measure()
    if device.main:
        with folders.writing(path) as temporary:
            # By the checksums a changed bit is found in reading, and the table measured again.
            frame.to_parquet(temporary, index=False, write_page_checksum=True)
    return frame


def read_frame(path: Path) -> pd.DataFrame | None:
    """None where there is none, or none that can be read, which is told. Lists come as lists, as they were put there."""
    try:
        frame = pd.read_parquet(path, page_checksum_verification=True)
    except FileNotFoundError:
        return None
    # Where pandas' own description of the table was changed it finds no such key, or no such type.
    except (OSError, ValueError, LookupError, TypeError, AttributeError, pyarrow.ArrowException):
        folders.told_damaged(path, "it is measured again")
        return None
    for name in frame.select_dtypes("object"):  # of numbers `map` would change the type
        frame[name] = frame[name].map(lambda value: value.tolist() if isinstance(value, np.ndarray) else value)
    return frame

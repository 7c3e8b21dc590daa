"""Which files lm-evaluation-harness wrote: results, and beside them the samples of the same time."""

import re
from pathlib import Path

from bench.errors import FormatError, UserError
from reports.exchange.importing import files_in
from reports.exchange.untrusted_files import read_object

RESULTS_PREFIX = "results_"
DATE = re.compile(r"(?:^|_)(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?)$")
"""At the end of a name, without its ending: `results_DATE.json`, or `x_DATE.json` after `--output_path x.json`."""
HARNESS_KEYS = {"results", "configs", "versions", "n-shot", "n-samples"}
"""What the harness writes, and other programs' files of results don't have all of."""


def results_files(place: Path) -> list[Path]:
    """The file itself, or the results of a folder and of those in it, in the order of names.

    Raises:
        UserError: there is nothing of that name, or no results in it.
    """
    what = "the folder, or the file, that --output_path named"
    files = files_in(place, "*.json", what, deep=True)
    # A file that the user names is meant, whatever it is called; what is wrong in it is told when it is read.
    if place.is_file():
        return files
    paths = [path for path in files if path.name.startswith(RESULTS_PREFIX) or _holds_results(path)]
    if not paths:
        raise UserError(f"no {RESULTS_PREFIX}*.json in {place}; name {what}")
    return paths


def _holds_results(path: Path) -> bool:
    """Of a name that the user gave: such a folder may hold any other file too, which is no fault."""
    if not DATE.search(path.stem):
        return False
    try:
        whole, _ = read_object(path)
    except FormatError:
        return False
    return {name for name, _ in whole.parts()} >= HARNESS_KEYS


def samples_beside(results: Path, task: str) -> Path:
    """Where the answers of a task lie, if they were written."""
    date = DATE.search(results.stem)
    return results.with_name(f"samples_{task}_{date[1] if date else results.stem.removeprefix(RESULTS_PREFIX)}.jsonl")

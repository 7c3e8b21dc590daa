"""Reference row: any model behind an OpenAI-compatible API, asked with the unseen instructions; nothing is trained."""

from typing import ClassVar

from pydantic import Field

from bench.inference.endpoint import Endpoint as Client
from bench.specs.wording import Wording
from bench.strategies.base import Strategy, Untrained


class EndpointHyperparameters(Untrained):
    incidental: ClassVar[frozenset[str]] = frozenset({"key_env", "concurrency", "timeout", "input_price", "output_price"})

    base_url: str
    """Such as https://host/v1."""
    model: str
    key_env: str | None = None
    """Name of the environment variable that holds the key; None where the server wants none."""
    max_tokens: int = Field(default=128, ge=1)
    temperature: float | None = Field(default=0.0, ge=0)
    """None where the model refuses to be given one."""
    concurrency: int = Field(default=8, ge=1)
    timeout: float = Field(default=120.0, gt=0)
    """Seconds without a word from the server."""
    input_price: float = Field(default=0.0, ge=0)
    """Per million tokens, in any one currency."""
    output_price: float = Field(default=0.0, ge=0)


class Endpoint(Strategy):
    Hyperparameters = EndpointHyperparameters
    hyperparameters: EndpointHyperparameters
    trains = False

    @property
    def wording(self) -> Wording:
        return Wording(style="instruction")

    @property
    def client(self) -> Client:
        said = self.hyperparameters
        return Client(
            base_url=said.base_url,
            model=said.model,
            key_variable=said.key_env,
            max_tokens=said.max_tokens,
            temperature=said.temperature,
            concurrency=said.concurrency,
            timeout=said.timeout,
        )

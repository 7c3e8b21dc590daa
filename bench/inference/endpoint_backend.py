"""A model behind an API as a backend, which can only write (endpoint_model.py has the conversations with it)."""

from collections.abc import Callable, Sequence

from bench.devices.device import Device
from bench.inference.backend import Backend, GeneratedText, Prompt
from bench.inference.endpoint import Endpoint
from bench.inference.endpoint_model import Conversations, EndpointModel, unheard


class EndpointBackend(Backend):
    """An endpoint behind the backend's interface.

    Args:
        device: shares the requests among its processes; without one this process asks them all.
        say: hears a sentence on answers without a text.
    """

    can = EndpointModel.can

    def __init__(self, endpoint: Endpoint, device: Device | None = None, say: Callable[[str], None] = unheard) -> None:
        self.device, self.conversations = device, Conversations(endpoint, say)
        self.name = endpoint.model

    def generate(self, prompts: Sequence[Prompt], longest: int, one_line: bool, beams: int = 1) -> list[GeneratedText]:
        """As `Backend.generate`, but for the limits: the endpoint has its own `max_tokens`, and a chat ends its turn itself."""

        def written(part: Sequence[Prompt]) -> list[GeneratedText]:
            answers = self.conversations.answers([prompt.turns for prompt in part])
            counts = [(a.input_tokens, a.output_tokens) if a.usage_known else None for a in answers]
            return [
                GeneratedText(answer.text, None, tokens, finished=not answer.truncated)
                for answer, tokens in zip(answers, counts, strict=True)
            ]

        return self._shared(prompts, written)

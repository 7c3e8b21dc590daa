"""An endpoint as a backend: what it is asked, and what it says that it cannot do."""

import pytest
from openai_server import Reply, Server, completion

from bench.errors import RunError
from bench.inference.backend import Prompt
from bench.inference.endpoint import Endpoint
from bench.inference.endpoint_backend import EndpointBackend
from bench.specs.model import EndpointSpec


@pytest.fixture
def model(server: Server, monkeypatch, tmp_path) -> Endpoint:
    """Its cache is empty."""
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path))
    return Endpoint(EndpointSpec(base_url=server.url, model="m", timeout=5))


def test_solved_examples_are_turns_before_the_question_and_tokens_come_back(server, model):
    """What few-shot rows ask: the user's and the assistant's turns in turn."""
    prompts = [Prompt(turns=("2 + 2?", "4", "3 + 3?")), Prompt(turns=("1 + 1?",))]
    first, second = EndpointBackend(model).generate(prompts, longest=5, one_line=True)
    assert [m["role"] for m in server.requests[0].body["messages"]] in (["user", "assistant", "user"], ["user"])
    sent = {tuple(message["content"] for message in request.body["messages"]) for request in server.requests}
    assert sent == {("2 + 2?", "4", "3 + 3?"), ("1 + 1?",)}
    assert (second.text, second.tokens, second.confidence) == ("answer to 1 + 1?", (7, 3), None)
    assert first.tokens == (7, 3)


@pytest.mark.parametrize(("reason", "finished"), [("stop", True), ("length", False)])
def test_an_answer_that_came_to_its_limit_says_so(server, model, reason, finished):
    server.reply = lambda asked: Reply(body=completion("a long ans", reason))
    (said,) = EndpointBackend(model).generate([Prompt(turns=("?",))], longest=5, one_line=True)
    assert (said.text, said.finished) == ("a long ans", finished)


@pytest.mark.parametrize("asked", ["loglikelihoods", "losses", "head_logits", "embeddings"])
def test_what_an_api_cannot_do_it_says(model, asked):
    backend = EndpointBackend(model)
    assert asked not in backend.can
    with pytest.raises(RunError, match="model 'm' gives no "):
        getattr(backend, asked)([])

"""The client against a server that speaks the protocol on this machine; the official client says that the server does."""

import base64
import gzip
import json
import logging
import subprocess
import sys
import threading
import time
from concurrent.futures import as_completed
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import openai
import pandas as pd
import pytest
from openai_server import Reply, Server, completion, echo, running
from tenacity import wait_none

from bench import folders
from bench.errors import RunError, UserError
from bench.inference import chat, endpoint_model, reply
from bench.inference.chat import ChatAnswer
from bench.inference.endpoint import Endpoint
from bench.inference.endpoint_model import Conversations, EndpointModel
from bench.specs.model import EndpointSpec

KEY = "sk-Very+Private/Key=0123456789"
VARIABLE = "BENCH_TEST_KEY"


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path) -> Path:
    """An empty cache, a key, and a back-off that takes no time."""
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path))
    monkeypatch.setenv(VARIABLE, KEY)
    monkeypatch.setattr(chat, "BACKOFF", wait_none())
    return folders.cache() / "endpoint"


@pytest.fixture
def model(server: Server) -> Endpoint:
    return Endpoint(EndpointSpec(base_url=server.url, model="m", key_env=VARIABLE, timeout=5))


def changed(endpoint, **fields):
    return Endpoint(endpoint.spec.model_copy(update=fields))


def answers(endpoint, prompts):
    """One turn each."""
    return Conversations(endpoint).answers([(prompt,) for prompt in prompts])


def test_the_server_speaks_the_protocol_and_we_ask_as_the_official_client_does(server, model):
    official = openai.OpenAI(base_url=server.url, api_key=KEY, max_retries=0)
    asked = [{"role": "user", "content": "2 + 2?"}]
    theirs = official.chat.completions.create(model="m", messages=asked, temperature=0.0, max_tokens=128)
    [ours] = answers(model, ["2 + 2?"])
    assert theirs.choices[0].message.content == ours.text == "answer to 2 + 2?"
    assert (theirs.usage.prompt_tokens, theirs.usage.completion_tokens) == (ours.input_tokens, ours.output_tokens) == (7, 3)
    their_request, our_request = server.requests
    assert our_request.body == their_request.body
    assert our_request.path == their_request.path
    for header in ("Authorization", "Content-Type"):
        assert our_request.headers[header] == their_request.headers[header]


def test_prompts_are_asked_at_the_same_time_once_each_and_answered_in_order(server, model):
    together = threading.Barrier(4, timeout=4)  # breaks, and the test with it, unless four requests are there at once

    def late_first(asked: dict[str, Any]) -> Reply:
        together.wait()
        return replace(echo(asked), delay=0.02 * (8 - int(asked["messages"][0]["content"])))

    server.reply = late_first
    prompts = ["0", "1", "2", "3", "2", "4", "5", "6", "7", "0"]
    given = answers(changed(model, concurrency=4), prompts)
    assert [answer.text for answer in given] == [f"answer to {prompt}" for prompt in prompts]
    assert sorted(server.prompts) == [str(i) for i in range(8)]
    assert server.most == 4
    assert [answer.cached for answer in given] == [i in (4, 9) for i in range(10)]


def test_no_prompts_ask_nothing(server, model):
    assert answers(model, []) == []
    assert not server.requests


def test_what_has_to_be_paid_for_is_known_before(server, model):
    asked = Conversations(model)
    asked.answers([("a",), ("b", "c", "d")])
    assert asked.unanswered([("a",), ("e",), ("b", "c", "d"), ("e",), ("b",)]) == [("e",), ("b",)]
    assert len(server.requests) == 2


def test_answers_outlive_server_and_key(server, model, cache, monkeypatch):
    first = answers(model, ["a", "b"])
    assert len(list(cache.iterdir())) == 2
    server.shutdown()
    server.server_close()
    monkeypatch.delenv(VARIABLE)
    assert answers(model, ["b", "a"]) == [replace(answer, cached=True) for answer in reversed(first)]


@pytest.mark.parametrize("damage", [b"", b"null", b'{"text": "half', b"\xff", b'{"text": "a", "input_tokens": "many"}'])
def test_a_damaged_answer_is_asked_again(server, model, cache, damage):
    answers(model, ["a"])
    [kept] = cache.iterdir()
    kept.write_bytes(damage)
    assert answers(model, ["a"]) == [ChatAnswer("answer to a", 7, 3)]
    assert answers(model, ["a"]) == [ChatAnswer("answer to a", 7, 3, cached=True)]
    assert len(server.requests) == 2


def test_whatever_changes_the_answer_is_part_of_its_name(server, model):
    answers(model, ["a"])
    others = [changed(model, model="n"), changed(model, temperature=0.5), changed(model, max_tokens=9)]
    others.append(changed(model, base_url=server.url.replace("127.0.0.1", "localhost")))
    assert [answers(other, ["a"])[0].cached for other in others] == [False] * 4
    same = changed(model, concurrency=1, timeout=9, retries=0, key_env=None, base_url=f"{server.url}/")
    assert answers(same, ["a"])[0].cached


def test_an_overloaded_server_is_given_the_time_it_asks_for(server, model):
    server.script = [Reply(429, {"error": {"message": "slow down"}}, {"Retry-After": "0.25"})]
    assert answers(model, ["a"])[0].text == "answer to a"
    first, second = server.requests
    assert 0.25 <= second.time - first.time < 20  # seconds, and no milliseconds or minutes


def test_errors_of_the_server_are_asked_again(server, model):
    server.script = [Reply(500, {"error": {"message": "oops"}}), Reply(503, b"<html>")]
    assert answers(model, ["a"])[0].text == "answer to a"
    assert len(server.requests) == 3


def test_a_server_that_stays_down_fails_the_run_and_keeps_what_came(server, model, cache):
    def sick(asked: dict[str, Any]) -> Reply:
        return Reply(503, {"error": "no GPU"}) if asked["messages"][0]["content"] == "d" else echo(asked)

    server.reply = sick
    careful = changed(model, concurrency=1, retries=2)
    with pytest.raises(RunError, match=r"chat/completions answered 503 for model 'm': no GPU \(tried 3 times\)"):
        answers(careful, ["a", "b", "c", "d", "e", "f"])
    assert server.prompts[:6] == ["a", "b", "c", "d", "d", "d"]
    kept = len(list(cache.iterdir()))
    assert kept in (3, 4, 5)  # those behind may have begun before the error was heard of
    server.reply = echo
    server.requests.clear()
    assert [answer.cached for answer in answers(careful, ["a", "b", "c", "d"])] == [True, True, True, False]
    assert server.prompts == ["d"]


def test_an_interrupted_call_pays_for_nothing_twice(server, model, monkeypatch):
    def interrupted(asked):
        """Ctrl-C while the third answer is waited for."""
        yield from islice(as_completed(asked), 2)
        raise KeyboardInterrupt

    server.reply = lambda asked: replace(echo(asked), delay=0.1)
    prompts = [str(i) for i in range(40)]
    with pytest.raises(KeyboardInterrupt), monkeypatch.context() as patched:
        patched.setattr(endpoint_model, "as_completed", interrupted)
        answers(changed(model, concurrency=2), prompts)
    assert len(server.requests) < 10
    server.reply = echo
    answers(model, prompts)
    assert sorted(server.prompts) == sorted(prompts)


BODIES = [b"<html>a page</html>", b'{"choices": [', b"\xff\xfe", {"id": "c"}, {"choices": []}, {"choices": [{}]}, [1], None]
BODIES += [b"[" * 100_000, completion("a", usage={"prompt_tokens": 10**400, "completion_tokens": 1})]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_reply_that_is_no_completion_is_asked_for_once_more_and_counted(server, model, cache, body):
    server.reply = lambda asked: Reply(body=body)
    told = (
        r"/v1/chat/completions sent no chat completion for model 'm': .+ \(it came 2 times, each of which the server may bill\)"
    )
    with pytest.raises(RunError, match=told):
        answers(model, ["a"])
    assert not cache.exists() and len(server.requests) == 2


def test_a_wrong_form_between_other_faults_is_counted_too(server, model):
    busy, wrong = Reply(503, {"error": "busy"}), Reply(body={"id": "c"})
    server.script = [wrong, busy, busy]
    assert answers(model, ["a"])[0].text == "answer to a"
    server.script, server.requests = [busy, wrong, busy, wrong, busy], []
    with pytest.raises(RunError, match="it came 2 times"):
        answers(model, ["b"])
    assert len(server.requests) == 4


def test_a_body_of_gigabytes_is_not_read(server, model, monkeypatch):
    monkeypatch.setattr(reply, "BODY_BYTES", 100_000)
    server.reply = lambda asked: Reply(body=b" " * 10**6)
    with pytest.raises(RunError, match=r"chat/completions sent more than \d+ MiB for one answer \(it came 2 times"):
        answers(model, ["a"])


def packed(body, times=1):
    for _ in range(times):
        body = gzip.compress(body)
    return Reply(body=body, headers={"Content-Encoding": ", ".join(["gzip"] * times)})


def test_a_packed_answer_is_read_and_one_that_unpacks_to_gigabytes_is_not(server, model, monkeypatch):
    server.reply = lambda asked: packed(json.dumps(completion("yes")).encode())
    assert answers(model, ["a"])[0].text == "yes" and server.requests[0].headers["Accept-Encoding"] == "gzip"
    monkeypatch.setattr(reply, "BODY_BYTES", 100_000)
    server.reply = lambda asked: packed(b" " * 10**6)
    with pytest.raises(RunError, match=r"sent more than \d+ MiB"):
        answers(model, ["b"])
    server.reply = lambda asked: packed(b" " * 10**6, times=2)  # what a client unpacks as often as it is told to
    with pytest.raises(RunError, match="sent no chat completion"):
        answers(model, ["c"])


def test_an_error_in_a_reply_that_looks_well_is_quoted(server, model):
    server.reply = lambda asked: Reply(body={"error": {"message": "upstream is busy", "code": 502}})
    with pytest.raises(RunError, match="sent no chat completion for model 'm': upstream is busy"):
        answers(changed(model, retries=0), ["a"])


def test_content_can_be_missing_or_come_in_parts(server, model):
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "po"}, {"type": "text", "text": "sitive"}]
    server.script = [Reply(body=completion(content)) for content in (None, "", parts)]
    assert [answers(model, [prompt])[0].text for prompt in "abc"] == ["", "", "positive"]


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_answers_without_a_text_are_told_and_not_kept(server, model, content):
    said = []
    asked = Conversations(model, say=said.append)
    server.script = [Reply(body=completion(content, finish="length")), Reply(body=completion("yes"))]
    one_at_a_time = changed(model, concurrency=1)
    asked.endpoint = one_at_a_time
    assert sorted(answer.text.strip() for answer in asked.answers([("a",), ("b",)])) == ["", "yes"]
    why = "1 end at max_tokens, which a model that thinks first may need more of; they count as empty answers"
    assert said == [f"model 'm': 1 of 2 answers have no text; {why}"]
    assert sorted(answer.text for answer in asked.answers([("a",), ("b",)])) == ["answer to a", "yes"] and len(said) == 1


@pytest.mark.parametrize("content", [None, ""])
def test_a_server_that_says_nothing_at_all_fails_the_run(server, model, content):
    server.reply = lambda asked: Reply(body=completion(content))
    with pytest.raises(RunError, match=r"model 'm': 3 of 3 answers have no text$"):
        answers(model, ["a", "b", "c"])


def test_an_answer_that_an_earlier_version_kept_is_not_paid_for_again(server, model):
    """It said of itself whether it was silent."""
    place = Conversations(model)._place(("a",))
    place.parent.mkdir(parents=True)
    place.write_text('{"text": "kept", "input_tokens": 1, "output_tokens": 1, "truncated": false, "silent": false}')
    assert answers(model, ["a"])[0].text == "kept" and not server.requests


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None, "completion_tokens": None}])
def test_missing_token_counts_are_said(server, model, usage):
    server.reply = lambda asked: Reply(body=completion("a", finish="length", usage=usage))
    [answer] = answers(model, ["a"])
    assert answer == ChatAnswer("a", 0, 0, usage_known=False, truncated=True)
    assert answers(model, ["a"]) == [replace(answer, cached=True)]


def test_every_script_of_the_world(server, model):
    prompts = ["Größe 🦙", "否定的", "سلبي", "a\u2028b\0c", "\ud83d"]  # the last one is half a character, as JSON can hold it
    given = answers(model, prompts)
    assert set(server.prompts) == set(prompts)
    assert [answer.text for answer in given] == [f"answer to {prompt}" for prompt in [*prompts[:-1], "?"]]
    assert [answer.text for answer in answers(model, prompts)] == [answer.text for answer in given]


def test_a_slow_server(server, model):
    server.reply = lambda asked: replace(echo(asked), delay=2)
    with pytest.raises(RunError, match=r"chat/completions did not answer within 0\.5 s \(tried 2 times\)"):
        answers(changed(model, timeout=0.5, retries=1), ["a"])
    assert len(server.requests) == 2


def test_headers_that_drip_outlast_no_deadline(server, model):
    """Each byte comes long before a limit between two bytes would end the waiting."""
    server.reply = lambda asked: Reply(drip=0.02)
    began = time.monotonic()
    with pytest.raises(RunError, match=r"chat/completions did not answer within 0\.3 s \(tried 1 times\)"):
        answers(changed(model, timeout=0.3, retries=0), ["a"])
    assert 0.3 <= time.monotonic() - began < 3


def test_no_server(server, model):
    server.shutdown()
    server.server_close()
    with pytest.raises(RunError, match=r"chat/completions cannot be reached: .*refused \(tried 3 times\); check base_url"):
        answers(changed(model, retries=2), ["a"])


REFUSALS = [
    (400, "check the model's name and the length of the prompts"),
    (401, f"check the key in {VARIABLE}"),
    (402, "change what the message names"),
    (403, "use a key that may use this model"),
    (404, r"check base_url \(it usually ends in /v1\) and the model's name"),
]


@pytest.mark.parametrize(("status", "advice"), REFUSALS)
def test_a_refusal_is_one_sentence_at_once(server, model, cache, status, advice):
    refusal = {"error": {"message": "no\nsuch \x1b[31mmodel " + 500 * "!"}}
    server.reply = lambda asked: Reply(status, refusal, delay=0.02)
    sentence = (
        rf"^http://127\.0\.0\.1:\d+/v1/chat/completions answered {status} for model 'm': no such \[31mmodel !+…; {advice}$"
    )
    with pytest.raises(UserError, match=sentence) as caught:
        answers(changed(model, concurrency=2), [str(i) for i in range(200)])
    assert len(str(caught.value)) < 400
    assert len(server.requests) < 100
    assert not cache.exists()


def test_a_refusal_ends_the_waiting_of_the_others(server, model):
    def busy_or_refused(asked: dict[str, Any]) -> Reply:
        if asked["messages"][0]["content"] == "refused":
            return Reply(403, {"error": "no"}, delay=0.1)
        return Reply(429, {"error": "busy"}, {"Retry-After": "30"})

    server.reply = busy_or_refused
    began = time.monotonic()
    with pytest.raises(UserError, match="answered 403 for model 'm': no; use a key that may use this model"):
        answers(model, ["refused", "busy"])
    assert time.monotonic() - began < 5
    assert server.prompts.count("busy") <= 2


def test_a_missing_key_is_told_apart_from_a_wrong_one(server, model):
    server.reply = lambda asked: Reply(401, {"detail": "Not authenticated"})
    with pytest.raises(UserError, match="answered 401 for model 'm': Not authenticated; name the environment variable of its"):
        answers(changed(model, key_env=None), ["a"])
    assert "Authorization" not in server.requests[0].headers


def test_no_credit_is_not_waited_for(server, model):
    server.reply = lambda asked: Reply(429, {"error": {"message": "quota exceeded", "code": "insufficient_quota"}})
    with pytest.raises(UserError, match="answered 429 for model 'm': quota exceeded; the account has no credit left"):
        answers(model, ["a"])
    assert len(server.requests) == 1


def test_a_redirect_is_not_followed_with_the_key(server, model):
    with running() as other:
        server.reply = lambda asked: Reply(307, b"", {"Location": other.url})
        with pytest.raises(UserError, match=rf"put the address it redirects to into base_url \({other.url}\)"):
            answers(model, ["a"])
        assert not other.requests


def test_models_that_want_the_newer_name_of_the_limit(server, model):
    def strict(asked: dict[str, Any]) -> Reply:
        if "max_tokens" in asked:
            return Reply(400, {"error": {"message": "Unsupported parameter: use 'max_completion_tokens' instead."}})
        return echo(asked)

    server.reply = strict
    assert [answer.text for answer in answers(model, list("abc"))] == [f"answer to {prompt}" for prompt in "abc"]
    assert sum(request.body.get("max_completion_tokens") == 128 for request in server.requests) == 3


def test_a_temperature_of_none_is_not_sent(server, model):
    answers(changed(model, temperature=None), ["a"])
    assert sorted(server.requests[0].body) == ["max_tokens", "messages", "model"]


def leaks(*places: str) -> bool:
    return any(part in place for place in places for part in (KEY, "Very", "Private", "0123456789"))


@pytest.mark.parametrize("status", [200, 400, 401, 307, 429, 500])
def test_the_key_stays_secret_although_the_server_repeats_it(server, model, cache, caplog, capfd, status):
    caplog.set_level(logging.DEBUG)
    quoted = KEY.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    told = f"Incorrect key {KEY} ({quoted}), you sent 'Bearer {KEY}' " + 150 * "." + KEY
    headers = {"X-Echo": KEY, "Location": f"http://elsewhere/{quoted}", "Set-Cookie": f"key={KEY}"}
    coded = f"you sent {base64.b64encode(f'Bearer {KEY}'.encode()).decode()}"
    texts = ({"error": {"message": told}}, {"detail": [{"msg": told}]}, told.encode(), completion(told), completion(coded))
    for body in (*texts, coded.encode()):
        server.reply = lambda asked, body=body: Reply(status, body, headers, reason=f"No {KEY}")
        try:
            said = repr(answers(changed(model, retries=1), ["a"]))
        except (UserError, RunError) as error:
            said = str(error)
        assert "[key]" in said
        assert not leaks(said, caplog.text, *capfd.readouterr())
    for kept in cache.rglob("*") if cache.exists() else ():
        assert not leaks(kept.read_text())
    assert (status == 200) == cache.exists()
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    assert not leaks(repr(model), repr(model.key()))


def test_a_placeholder_key_does_not_change_answers(server, model, monkeypatch):
    monkeypatch.setenv(VARIABLE, "EMPTY")
    server.reply = lambda asked: Reply(body=completion("EMPTY"))
    assert answers(model, ["a"])[0].text == "EMPTY"


def test_a_key_that_is_missing_or_cannot_be_sent(server, model, monkeypatch):
    monkeypatch.setenv(VARIABLE, " \n")
    with pytest.raises(UserError, match=rf"environment variable {VARIABLE} holds no key for http.*; export it"):
        answers(model, ["a"])
    monkeypatch.setenv(VARIABLE, "sécret\nX-Other: 1")
    with pytest.raises(UserError, match=f"^the key in {VARIABLE} holds characters that no header can carry; copy it again$"):
        answers(model, ["a"])
    assert not server.requests
    monkeypatch.setenv(VARIABLE, f"{KEY}\n")
    answers(model, ["a"])
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"


def test_what_is_for_this_machine_goes_through_no_proxy(server, model, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert answers(changed(model, retries=0), ["a"])[0].text == "answer to a"


def test_a_models_hash_is_of_its_answers_and_not_of_how_it_is_reached_or_paid():
    said = {"base_url": "http://localhost:1/v1", "model": "m"}
    one = EndpointModel("a", EndpointSpec(**said))
    reached = EndpointModel("a", EndpointSpec(**said, concurrency=1, timeout=9, retries=0, input_price=3, key_env="KEY"))
    assert one.content_hash == reached.content_hash
    for other in ({"model": "n"}, {"temperature": None}, {"max_tokens": 9}, {"base_url": "http://localhost:2/v1"}):
        assert EndpointModel("a", EndpointSpec(**(said | other))).content_hash != one.content_hash


def test_a_model_behind_an_api_says_what_it_takes_and_what_it_gives(monkeypatch):
    """As `Model` does, so that nobody has to ask which of the two it is."""
    monkeypatch.delenv("BENCH_NO_SUCH_KEY", raising=False)
    said = {"base_url": "http://localhost:1/v1", "model": "m"}
    far = EndpointModel("far", EndpointSpec(**said, max_tokens=40, key_env="BENCH_NO_SUCH_KEY"))
    assert not far.needs_device and far.own_style == "instruction" and far.checkpoint is far.positions is None
    assert far.lacks("generate") is None and far.lacks("losses") == "'far' is asked over an API, which gives no losses"
    assert far.unfit_for("corpus", "write", trains=True) == "a model behind an API cannot be trained here"
    assert far.unfit_for("corpus", "read", trains=False) == "a corpus task cannot be put to an endpoint"
    assert far.unfit_for("qa", "write", trains=False) is None
    assert far.writes_at_most(7) == 40 and far.conventions == {} and far.reference_bits == 32
    with pytest.raises(UserError, match="BENCH_NO_SUCH_KEY"):
        far.check_access()
    assert EndpointModel("far", EndpointSpec(**said)).check_access() is None


def test_a_result_hangs_on_nothing_that_only_this_machine_would_do():
    far = EndpointModel("far", EndpointSpec(base_url="http://localhost:1/v1/", model="m", concurrency=1))
    endpoint = {"base_url": "http://localhost:1/v1", "model": "m", "max_tokens": 128, "temperature": 0.0}
    assert far.inputs("fp32", 64) == far.inputs("bf16", 256) == {"model": far.content_hash, "endpoint": endpoint}


@pytest.mark.parametrize(
    ("answers", "prices", "money"),
    [
        ({"read": [7, 8], "written": [3, 1]}, {"input_price": 1000, "output_price": 2000}, 0.023),
        ({"read": [7, None], "written": [3, 1]}, {"input_price": 1000, "output_price": 2000}, None),
        ({"value": [0, 1]}, {"input_price": 1000}, None),
        ({"read": [7, 8], "written": [3, 1]}, {}, None),
    ],
)
def test_answers_cost_what_their_counted_tokens_come_to(answers, prices, money):
    """Nothing that a server holds is known, and a price of what nobody counted is none."""
    far = EndpointModel("far", EndpointSpec(base_url="http://localhost:1/v1", model="m", **prices))
    cost = far.cost(pd.DataFrame(answers), seconds=1.5)
    assert cost.money == (money if money is None else pytest.approx(money)) and cost.eval_seconds == 1.5
    assert cost.train_flops == cost.saved_bytes == 0 and cost.peak_memory_bytes is cost.total_parameters is None


def test_prices_are_per_million_tokens():
    spec = EndpointSpec(base_url="http://localhost:1/v1", model="m", input_price=2.5, output_price=10)
    assert EndpointModel("a", spec).price(4000, 40) == pytest.approx(0.0104)


def test_a_cost_is_told_with_its_prices_or_without():
    said = {"base_url": "http://localhost:1/v1", "model": "m"}
    priced = EndpointModel("mine", EndpointSpec(**said, input_price=2.5, output_price=10))
    told = "asking mine over its API: 3 questions, about 40,000 tokens to read and at most 1,280 to write; "
    assert priced.cost_sentence("3 questions", 40_000, 1_280) == f"{told}at most about 0.11 at its prices"
    assert (
        EndpointModel("mine", EndpointSpec(**said)).cost_sentence("3 questions", 40_000, 1_280)
        == f"{told}its file has no prices"
    )


def test_asking_loads_no_torch():
    """A command that only asks an API answers in a second."""
    loaded = "import sys, bench.inference.endpoint_model; print({'torch', 'transformers'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout == "set()\n"

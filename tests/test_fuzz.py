"""Inputs that nobody thought of: whatever stands in a file or an option ends in status 0, 1 or 2 and no traceback, in little
time and memory, and leaves no file outside of the output folder and the cache.

Seconds in CI; `TUNEBENCH_FUZZ=5000 pytest tests/test_fuzz.py` looks at so many of each kind. What is found becomes an
`@example` here or an entry of malformed_inputs.yaml.
"""

import json
import os
import string
import threading
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from malformed import ROWS, SUITE, TASK

from bench import cli, suite_run
from bench.devices.memory import PeakMemory
from bench.errors import RunError, UserError
from bench.inference import chat
from bench.inference.chat import Connection
from bench.inference.endpoint import Endpoint
from bench.inference.reply import Reply
from bench.modeling.models import find_model
from bench.processes import stopping
from bench.records import store
from bench.specs.library import Library
from bench.specs.model import EndpointSpec
from reports.unseen_characters import UNSEEN

EXAMPLES = int(os.environ.get("TUNEBENCH_FUZZ", "12"))
MEBIBYTES = 500
"""By which the process may grow over a whole test; what is loaded once is loaded before."""
quick = settings(
    max_examples=EXAMPLES,
    deadline=20_000,
    derandomize=EXAMPLES == 12,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
NASTY = [
    "",
    " ",
    "\x00",
    "\x1b[2J",
    "{",
    "{text!z}",
    "../..",
    "-1",
    "1e999",
    ".nan",
    "~",
    "true",
    "&a [*a]",
    "!!python/x",
    "9" * 30,
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(NASTY)
KEYS = st.text(string.ascii_lowercase, max_size=6)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
JSON = VALUES.map(json.dumps)
SETTINGS = ["learning_rate", "full.weight_decay", "warmup", "dropout", "early_stopping", "schedule", "x", "full.peft.r"]
STATUSES = [200, 201, 204, 301, 400, 401, 429, 500]


@st.composite
def damaged(draw, text: str) -> str:
    """The text with a stretch replaced by something else, mostly in the middle of a line."""
    start = draw(st.integers(0, len(text) - 1))
    end = draw(st.integers(start, min(len(text), start + 12)))
    return text[:start] + draw(st.text(max_size=6) | st.sampled_from(NASTY)) + text[end:]


@st.composite
def refilled(draw, text: str) -> str:
    """The YAML with another value of one field, or with a field more."""
    fields = yaml.safe_load(text)
    fields[draw(st.sampled_from(sorted(fields)) | st.text(string.ascii_lowercase, min_size=1, max_size=8))] = draw(VALUES)
    return yaml.safe_dump(fields, allow_unicode=True)


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch):
    """And nothing is asked of a hub."""
    monkeypatch.setattr(suite_run, "_records_once_done", lambda *_: [])
    monkeypatch.setattr(suite_run, "_show_results", lambda *_: None)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(stopping, "listen", lambda: None)


@pytest.fixture(scope="module", autouse=True)
def no_growth():
    peak = PeakMemory(False)
    yield
    assert peak.bytes() < MEBIBYTES * 2**20


def given_to_run(capsys, options: tuple[str, ...] = (), **texts: str) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        for path, text in {"suite.yaml": SUITE, "tasks/own.yaml": TASK % "../rows.csv", "rows.csv": ROWS, **texts}.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(text.encode("utf-8", "surrogatepass"))
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            cli.main(["run", "--suite", str(folder / "suite.yaml"), "--budget", "16", "--out", str(folder / "out"), *options])
        said = capsys.readouterr().err.strip()
        assert leaving.value.code in (0, 2), said
        assert "Traceback" not in said
        if leaving.value.code:
            assert said.split("\n")[-1].startswith("error: ") and len(said) < 3000 and not UNSEEN.search(said)
        outside = {path.relative_to(folder).parts[0] for path in folder.rglob("*")}
        assert outside <= {"suite.yaml", "tasks", "rows.csv", "out"}


@quick
@given(damaged(SUITE) | refilled(SUITE))
def test_a_suite(capsys, text):
    given_to_run(capsys, **{"suite.yaml": text})


@quick
@given(damaged(TASK % "../rows.csv") | refilled(TASK % "../rows.csv"))
def test_a_task(capsys, text):
    given_to_run(capsys, **{"tasks/own.yaml": text})


@quick
@given(damaged(ROWS) | st.text(max_size=60))
@example('text,label\n"a,good\n')
def test_rows(capsys, text):
    given_to_run(capsys, **{"rows.csv": text})


@quick
@given(st.sampled_from(SETTINGS), JSON | st.text(max_size=12) | st.sampled_from(NASTY))
@example("learning_rate", "\x1b[2J")
def test_a_setting(capsys, name, value):
    given_to_run(capsys, ("--set", f"{name}={value}"))


@quick
@given(VALUES)
@example({"peft_type": "LORA", "r": 10**30})
def test_a_peft_configuration(capsys, value):
    given_to_run(capsys, ("--strategies", "lora-8bit", "--set", f"lora-8bit.peft={json.dumps(value)}"))


@quick
@given(st.data())
def test_a_models_configuration(decoder_folder, data):
    with TemporaryDirectory() as name:
        folder = Path(name)
        for path in decoder_folder.iterdir():
            (folder / path.name).symlink_to(path)
        text = (decoder_folder / "config.json").read_text()
        config = json.loads(text)
        config[data.draw(st.sampled_from(sorted(config)))] = data.draw(VALUES)
        (folder / "config.json").unlink()
        (folder / "config.json").write_text(data.draw(damaged(text) | st.just(json.dumps(config))), errors="replace")
        with suppress(UserError):
            find_model(name, Library())


@quick
@given(st.data())
def test_a_record(data):
    texts = {
        "run_id": "a" * 16,
        "status": "ok",
        "setup": {"suite": "s", "model": "m", "task": "t", "strategy": "x", "seed": 0, "budget": "16examples"},
        "schema_version": 1,
    }
    texts[data.draw(st.sampled_from(sorted(texts)))] = data.draw(VALUES)
    with TemporaryDirectory() as name:
        path = Path(name) / "records" / f"{'a' * 16}.json"
        path.parent.mkdir()
        path.write_text(data.draw(damaged(json.dumps(texts)) | st.just(json.dumps(texts))), errors="replace")
        with suppress(UserError):
            store.read_all(Path(name))


@quick
@given(st.sampled_from(STATUSES), st.binary(max_size=40) | JSON.map(str.encode))
@example(200, b"[" * 100_000)
def test_an_answer_of_an_endpoint(status, content):
    connection = Connection(Endpoint(EndpointSpec(base_url="http://127.0.0.1:9/v1", model="m")), threading.Event())
    try:
        connection._read(Reply(status, httpx2.Headers(), content))
    except (UserError, RunError, chat._PassingError) as error:
        assert "\n" not in str(error)

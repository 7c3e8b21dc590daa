"""Two real worker processes: the records are those of one process, and a worker that is killed loses nothing."""

import os
import queue
import signal
import socket
import sys

import pandas as pd
import pytest

from bench.placing import local
from bench.placing.costs import predictors_of
from bench.placing.local import LocalWorker, _exit_reason
from bench.placing.messages import WorkerSetting
from bench.placing.pool import WorkerPool
from bench.placing.slot import Slot
from bench.placing.view import View
from bench.planning import plan
from bench.planning.options import PlanOptions
from bench.progress import Progress
from bench.records import store
from bench.running import execution
from bench.running.assignments import Workplace
from bench.runs.run_folder import DEFAULT_KEEP

CORE = min(os.sched_getaffinity(0))
SLOTS = [Slot(0, (CORE,)), Slot(1, (CORE,))]


def test_how_a_worker_ended_is_told():
    assert _exit_reason(3) == "its process ended with status 3"
    assert _exit_reason(-signal.SIGTERM) == "its process was ended by SIGTERM"
    assert "SIGKILL, as by a machine without memory" in _exit_reason(-signal.SIGKILL)


def test_what_a_process_says_of_its_end_comes_before_how_it_looks(tmp_path, monkeypatch):
    """As a rank of a launcher leaves word that has no connection of its own."""
    code = "from bench.processes import ranks; ranks.tell_ending('broken off', 'no memory'); raise SystemExit(1)"
    monkeypatch.setattr(local, "_command", lambda slot, setting: [sys.executable, "-c", code])
    posted = queue.SimpleQueue()
    worker = LocalWorker(SLOTS[0], posted.put, WorkerSetting(tmp_path, "fp32", False, DEFAULT_KEEP))
    said = [posted.get(timeout=60) for _ in range(2)]
    assert [(each.kind, each.content) for each in said] == [
        ("ending", ["broken off", "no memory"]),
        ("lost", "its process ended with status 1"),
    ]
    worker.end()
    assert not worker.process._ending.parent.exists()


def same(record, other):
    """Whether two records hold the same result, bit for bit; the rest is clocks and memory."""
    return (record.outcome, record.trust, record.setup) == (other.outcome, other.trust, other.setup)


@pytest.mark.slow
def test_workers_records_are_those_of_one_process_though_one_is_killed(own_cache, one_thread, device, tmp_path):
    options = PlanOptions("sentiment-domains", "tiny-bert", strategies=["zero-shot", "full", "frozen"], budget="48")
    runs = plan.plan(PlanOptions(**{**vars(options), "seeds": 2, "probe_items": 4, "test_items": 12}), "fp32")
    alone = Workplace(tmp_path / "alone", device, Progress(False, len(runs)))
    together = Workplace(tmp_path / "together", device, Progress(False, len(runs)))
    hired = []

    def hire(slot, post):
        def posted(message):
            if message.kind == "doing" and len(hired) == 2:  # the first to begin a run is killed in it, once
                os.kill(hired[message.worker].process.pid, signal.SIGKILL)
                hired.append(None)
            post(message)

        worker = LocalWorker(slot, posted, WorkerSetting(together.out, "fp32", False, DEFAULT_KEEP))
        hired.append(worker)
        return worker

    with WorkerPool(lambda works: [(SLOTS, works)], hire, predictors_of, View(together.out)) as hands:
        found = execution.execute(runs, together, hands=hands)
    assert len(hired) == 4, "two workers, the kill, and a third worker"
    assert [record.status for record in found] == ["ok"] * len(runs)
    for record, own in zip(found, execution.execute(runs, alone), strict=True):
        assert record.provenance.device["threads"] == own.provenance.device["threads"] == 1
        assert same(record, own)
        pd.testing.assert_frame_equal(
            store.read_items(together.out, record), store.read_items(alone.out, own), check_exact=True
        )


@pytest.mark.slow
def test_a_scheduler_that_is_gone_leaves_no_worker(tmp_path):
    worker = LocalWorker(SLOTS[0], lambda _: None, WorkerSetting(tmp_path, "fp32", False, DEFAULT_KEEP))
    # As the end of the process would: a close would leave our own thread reading from a number that is nobody's.
    with socket.socket(fileno=os.dup(worker.process._connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)
    assert worker.process._process.wait(60) == 0

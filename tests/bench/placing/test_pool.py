"""Work given to workers that are threads: longest first, and done again where one is lost."""

import queue
import threading
import time
from itertools import count
from types import SimpleNamespace

import pytest
from workers import Imagined, ThreadWorker, imagined

from bench.errors import RunError, UserError
from bench.leases.lease import Leases
from bench.leases.queue import HALVINGS, TRIES
from bench.placing import pool as module
from bench.placing.forecast import Predictors
from bench.placing.pool import WorkerPool
from bench.placing.slot import Slot
from bench.placing.view import View
from bench.processes.stopping import Stopped
from bench.progress import Progress
from bench.records import store
from bench.running.assignments import Workplace

SLOTS = [Slot(0, (0,)), Slot(1, (1,))]


@pytest.fixture
def run(planned):
    return planned("zero-shot")


@pytest.fixture
def place(tmp_path, device):
    return Workplace(tmp_path, device, Progress(False, 1))


def by_name(work):
    """The later in the alphabet the longer; each is of a kind of its own."""
    return Predictors(work.id, "", lambda: float(ord(work.id)))


def pool(place, hired, predictors_of=by_name, **fate):
    def hire(slot, post):
        hired.append(ThreadWorker(slot, post, place, **fate))
        return hired[-1]

    return WorkerPool(alike, hire, predictors_of, View(place.out))


def alike(works):
    return [(SLOTS, works)]


def unfinished(_):
    return False


def test_longest_first_and_each_once(run, place, capsys):
    hired, done = [], []
    with pool(place, hired) as hands:
        found = hands([imagined(run, name, done) for name in "bacd"], place, unfinished)
        assert len(hired) == 2 and hands([imagined(run, "e", done)], place, unfinished).keys() == {"e"}
        assert len(hired) == 2, "workers stay"
    assert set(found) == set("abcd") and len(done) == 5
    assert [record.run_id for record in store.read_all(place.out)] == list("abcde")
    lines = [line for line in capsys.readouterr().err.splitlines() if "begins" in line]
    assert ["imagined d" in lines[0], "imagined c" in lines[1]] == [True, True]  # as they are handed out, whoever is faster
    assert len(lines) == 5 and all("core 0: " in line or "core 1: " in line for line in lines)
    assert all(worker.ended for worker in hired)


def test_what_was_done_tells_how_long_the_rest_takes(run, place, monkeypatch):
    """By FLOPs the order is a, c, b; the first c is over in a second, so that a b is longer than the second c."""
    took = {"a0": 90.0, "b0": 50.0, "c0": 1.0}
    monkeypatch.setattr(module, "seconds_taken", lambda record: took.get(record.run_id))

    def predictors_of(work):
        return Predictors(work.id[0], "", lambda: {"a": 9.0, "b": 5.0, "c": 7.0}[work.id[0]])

    def alone(works):
        return [(SLOTS[:1], works)]

    def hire(slot, post):
        return ThreadWorker(slot, post, place)

    done = []
    with WorkerPool(alone, hire, predictors_of, View(place.out)) as hands:
        hands([imagined(run, name, done) for name in ("a0", "c0", "c1", "b0", "b1")], place, unfinished)
    assert done == ["a0", "c0", "b0", "b1", "c1"]

    class Before(Imagined):
        def recorded(self, place):
            return SimpleNamespace(run_id=self.id)

    again = [Before(run, name, done) for name in ("b0", "c0")] + [imagined(run, name, done) for name in ("c2", "b2")]
    with WorkerPool(alone, hire, predictors_of, View(place.out)) as hands:
        hands(again, place, lambda work: work.id.endswith("0"))
    assert done[5:] == ["b2", "c2"], "by records that were there at the start"


def test_what_is_finished_and_like_nothing_that_waits_is_not_estimated(run, place):
    """Counting FLOPs takes seconds of each kind: a suite that goes on would begin late."""

    def predictors_of(work):
        return Predictors(work.id, "", lambda: 1.0 if work.id == "a" else pytest.fail("nobody needs to know"))

    with pool(place, [], predictors_of) as hands:
        hands([imagined(run, name, []) for name in "ab"], place, lambda work: work.id == "b")


def test_no_more_workers_than_work(run, place):
    hired = []
    with pool(place, hired) as hands:
        assert hands([imagined(run, "a", [])], place, unfinished) and len(hired) == 1
        assert hands([], place, unfinished) == {} and len(hired) == 1


def test_a_lost_worker_is_replaced_and_its_run_done_again(run, place, capsys):
    hired, done = [], []
    with pool(place, hired, dies_at=["c"]) as hands:
        found = hands([imagined(run, name, done) for name in "abcd"], place, unfinished)
    assert set(found) == set("abcd") and sorted(done) == list("abcd") and len(hired) == 3
    assert "struck by a test; the run is done again" in capsys.readouterr().err


def test_a_run_that_takes_every_worker_with_it_is_recorded_with_the_reason(run, place):
    hired, done, deaths = [], [], ["b"] * TRIES

    class Lasting(Imagined):
        """It keeps its worker until the others are lost, so that each death takes another one."""

        def do(self, place):
            while deaths:
                time.sleep(0.001)
            return super().do(place)

    with pool(place, hired, dies_at=deaths) as hands:
        works = [imagined(run, "a", done), imagined(run, "b", done), Lasting(run, "c", done)]
        found = hands(works, place, unfinished)
    assert sorted(done) == ["a", "c"] and len(hired) >= 1 + TRIES
    assert found["b"].record.reason == f"its worker was lost {TRIES} times; the last time struck by a test"
    assert found["b"].record.status == "failed"


def test_memory_that_runs_out_in_a_team_is_no_lost_worker(run, place, capsys):
    """It goes on in smaller micro-batches, oftener than a worker may be lost, and by then its size has not shrunk for ever."""
    done, words = [], ("broken off", "memory ran out in step 1 with micro-batches of 96 tokens")
    with pool(place, [], dies_at=["b"] * (TRIES + 1), says=[words] * (TRIES + 1)) as hands:
        found = hands([imagined(run, "b", done)], place, unfinished)
    assert done == ["b"] and found["b"].record.status == "skipped"
    told = "memory ran out in step 1 with micro-batches of 96 tokens; the run goes on in smaller ones"
    assert capsys.readouterr().err.count(told) == TRIES + 1
    hired, many = [], HALVINGS + 1
    with pool(place, hired, dies_at=["c"] * 2 * many, says=[words] * many) as hands:
        found = hands([imagined(run, "c", done)], place, unfinished)
    assert (
        len(hired) == many and found["c"].record.reason == f"its worker was broken off {many} times; the last time {words[1]}"
    )


def test_memory_that_no_smaller_batch_mends_fails_the_run_at_once(run, place):
    hired, done = [], []
    with pool(place, hired, dies_at=["b"] * TRIES, says=[("failed", "out of memory: this machine cannot hold it")]) as hands:
        found = hands([imagined(run, name, done) for name in "ab"], place, unfinished)
    assert found["b"].record.reason == "out of memory: this machine cannot hold it" and found["b"].record.status == "failed"
    assert done == ["a"] and len(hired) <= 3


def test_what_another_error_says_stands_in_the_reason(run, place):
    with pool(place, [], dies_at=["b"] * TRIES, says=[("error", "RuntimeError: no peer")] * TRIES) as hands:
        found = hands([imagined(run, "b", [])], place, unfinished)
    assert found["b"].record.reason == f"its worker was lost {TRIES} times; the last time RuntimeError: no peer"


def test_wrong_input_ends_all_and_gives_everything_back(run, place):
    hired = []
    with pytest.raises(UserError, match="no such file"), pool(place, hired, wrong="no such file") as hands:
        hands([imagined(run, name, []) for name in "ab"], place, unfinished)
    assert all(worker.ended for worker in hired)
    assert Leases(place.out).claim("a") and Leases(place.out).claim("b")


@pytest.mark.parametrize(("signal", "at_once"), [(Stopped("stopped by SIGTERM"), False), (KeyboardInterrupt(), True)])
def test_who_is_stopped_stops_the_workers_and_gives_everything_back(run, place, signal, at_once):
    """Asked to stop, workers come to the end of their step; Ctrl-C ends them at once."""
    hired, view = [], View(place.out)
    view.begins = lambda *_: (_ for _ in ()).throw(signal)

    def hire(slot, post):
        hired.append(ThreadWorker(slot, post, place))
        return hired[-1]

    with pytest.raises(type(signal)), WorkerPool(alike, hire, by_name, view) as hands:
        hands([imagined(run, "a", [])], place, unfinished)
    assert [worker.ended for worker in hired] == [True] and hired[0].at_once is at_once
    assert Leases(place.out).claim("a").number == 2


def test_workers_go_where_others_are_to_be_and_stay_else(run, place):
    """First both parts of the machine are one worker's, then each has its own."""
    hired, both = [], [Slot(0, (0, 1))]

    def arrange(works):
        return [(both, works[:1]), (SLOTS, works[1:])] if len(works) > 2 else [(SLOTS, works)]

    def hire(slot, post):
        hired.append(ThreadWorker(slot, post, place))
        return hired[-1]

    with WorkerPool(arrange, hire, by_name, View(place.out)) as hands:
        done = []
        assert hands([imagined(run, name, done) for name in "abc"], place, unfinished).keys() == set("abc")
        assert done[0] == "c" and [worker.slot for worker in hired] == [*both, *SLOTS]
        assert [worker.ended for worker in hired] == [True, False, False]
        assert hands([imagined(run, "d", done)], place, unfinished).keys() == {"d"} and len(hired) == 3
    assert all(worker.ended for worker in hired)


def test_a_worker_that_cannot_start_is_told(run, place):
    def hire(slot, post):
        return ThreadWorker(slot, post, place, stillborn="its process ended with status 1")

    told = "worker on core . could not be started: its process ended with status 1"
    with pytest.raises(RunError, match=told), WorkerPool(alike, hire, by_name, View(place.out)) as hands:
        hands([imagined(run, "a", [])], place, unfinished)


def test_two_schedulers_share_the_runs(run, tmp_path, device):
    """Each has two workers; whoever comes to a run does it, and it is done once."""
    done, found, names, both = [], queue.SimpleQueue(), "abcdefghijklmnop", threading.Barrier(2)

    def schedule():
        place, looks = Workplace(tmp_path, device, Progress(False, 1)), count()

        def finished(_):
            # The second look at the first run comes when the queue knows what was tried before it, which is done again.
            if next(looks) == len(names):
                both.wait(30)
            return False

        with pool(place, []) as hands:
            found.put(hands([imagined(run, name, done) for name in names], place, finished))

    threads = [threading.Thread(target=schedule) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = found.get(), found.get()
    assert sorted(done) == list(names) and set(first) | set(second) == set(names) and not set(first) & set(second)

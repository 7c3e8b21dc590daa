"""What a status says to a person."""

import io
import time

from rich.console import Console

from bench.watching.status import Finished, RunStatus
from bench.watching.view import LAST, current_run, watched


def shown(*statuses):
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(watched(statuses))
    return console.export_text()


def test_the_current_run_is_told_with_its_phase_speed_and_time_left():
    status = RunStatus(label="m / t / [b]full[/b] / seed 0", phase="training", step=5, steps=50, loss=0.25)
    status = status.model_copy(update={"rate": 123.4, "run_left": 30.0})
    assert current_run(status).plain == (
        "m / t / [b]full[/b] / seed 0  training 5/50, loss 0.250, 123 examples/s  30 s of training left"
    )
    assert current_run(RunStatus(label="x", phase="probes")).plain == "x  probes"


def test_who_knows_of_all_runs_tells_how_many_are_done_the_time_left_and_the_devices_time():
    status = RunStatus(total=4, done=1, suite_left=700.0, device_seconds=421.4)
    assert current_run(status).plain == "1 of 4 runs done, about 12 min left, 421 device-seconds used"
    assert current_run(RunStatus(total=4, label="x")).plain == "x  0 of 4 runs done, 0 device-seconds used"


def test_done_rows_stand_with_their_scores_and_silence_is_told():
    done = [Finished(label=f"run {i}", result=f"accuracy 0.{i:03}", seconds=i) for i in range(LAST + 3)]
    text = shown(RunStatus(finished=done, done=15, total=20, label="now", updated=time.time() - 100))
    assert "3 earlier runs" in text and "accuracy 0.014" in text and "accuracy 0.002" not in text
    assert "now  15 of 20 runs done" in text and "(no word for 2 min)" in text
    assert "ago  15 of 15 runs done, 90 device-" in shown(RunStatus(total=15, done=15, device_seconds=90, pid=2**22 + 1))
    assert "ended" in shown(RunStatus(pid=2**22 + 1)) and "ended" not in shown(RunStatus(machine="elsewhere", pid=2**22 + 1))

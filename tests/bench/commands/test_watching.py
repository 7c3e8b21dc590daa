"""`tunebench watch`, from another terminal than that of the runs."""

from bench.watching.status import Finished, RunStatus, write_status


def test_a_snapshot_is_printed_for_a_script(called, out):
    write_status(out, RunStatus(total=2, done=1, label="m / t / lora / seed 0", phase="probes"))
    write_status(out, RunStatus(host="node7", finished=[Finished(label="m / t / full", result="accuracy 0.900", seconds=9)]))
    status, shown, _ = called("watch", out)
    assert status == 0 and "m / t / full  accuracy 0.900  9 s" in shown
    assert "m / t / lora / seed 0  probes  1 of 2 runs done" in shown


def test_a_folder_without_runs_is_the_users_mistake(called, out):
    status, shown, said = called("watch", out)
    assert (status, shown) == (2, "") and said.startswith("error: ") and str(out) in said

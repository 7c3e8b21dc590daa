"""What the launcher says of a process that can't speak any more."""

import signal

from bench.processes.quiet_launcher import killed


def test_a_killed_process_is_named():
    assert killed(1, -signal.SIGKILL).startswith("error: rank 1 was ended by SIGKILL; the machine may have run out of memory;")
    assert "memory" not in killed(0, -signal.SIGSEGV) and "rank 0 was ended by SIGSEGV" in killed(0, -signal.SIGSEGV)


def test_its_last_phase_is_told():
    told = killed(1, -signal.SIGKILL, "its last phase: training, after step 3 of 8")
    assert told.startswith("error: rank 1 was ended by SIGKILL; its last phase: training, after step 3 of 8; the machine may")


def test_nothing_is_said_of_one_that_has_spoken_or_was_ended_for_another():
    assert killed(1, 2) == killed(1, 1) == killed(0, -signal.SIGTERM) == ""

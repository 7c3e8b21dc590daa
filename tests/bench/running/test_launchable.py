"""Which strategy runs under which launcher, before anything starts."""

import pytest

from bench.devices.launched import NAMES
from bench.errors import UserError
from bench.running.launchable import check_launchable, refusal


@pytest.mark.parametrize("parallelism", NAMES)
def test_weights_in_8_bit_are_never_shared_out(planned, parallelism):
    run = planned("lora-8bit")
    shared = parallelism in ("fsdp2", "zero3")
    assert (refusal(run.strategy, parallelism) is not None) == shared
    check_launchable([planned("full"), planned("zero-shot"), planned("lora-8bit", settings=["lora-8bit.bits=32"])], parallelism)
    if shared:
        words = f"lora-8bit / seed 0: strategy 'lora-8bit' holds its base in 8 bit, which {NAMES[parallelism]} cannot share out"
        with pytest.raises(UserError, match=words):
            check_launchable([planned("full"), run], parallelism)

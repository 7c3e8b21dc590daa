"""The parts of the untouched base share one model: what one has loaded the other asks."""

from dataclasses import replace

import pytest
import torch

from bench.measuring.untouched import Untouched

pytestmark = pytest.mark.usefixtures("cache")


def test_a_row_in_8_bit_never_loads_its_base_in_fp32_where_bf16_is_named(planned, opened, loads):
    run = planned("lora-8bit")
    named = opened(replace(run, model=replace(run.model, reference_precision="bf16")))
    base = Untouched(named)
    assert all(base.self_tests().values())
    base.asked.results()
    assert base.loaded.module().dtype == torch.bfloat16
    assert loads == [16, 8, 16]

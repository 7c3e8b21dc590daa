"""Which strategy runs under which launcher, before anything starts."""

from pathlib import Path

import pytest

from bench.checking.parallelism import check_parallelism, refusal
from bench.devices.launched import NAMES
from bench.errors import UserError


@pytest.mark.parametrize("parallelism", NAMES)
def test_weights_in_8_bit_are_never_shared_out(planned, parallelism):
    run = planned("lora-8bit")
    shared = parallelism in ("fsdp2", "zero3")
    assert (refusal(run.strategy, parallelism) is not None) == shared
    check_parallelism(
        [planned("full"), planned("zero-shot"), planned("lora-8bit", settings=["lora-8bit.bits=32"])], parallelism
    )
    if shared:
        words = f"lora-8bit / seed 0: strategy 'lora-8bit' holds its base in 8 bit, which {NAMES[parallelism]} cannot share out"
        with pytest.raises(UserError, match=words):
            check_parallelism([planned("full"), run], parallelism)


@pytest.mark.parametrize("parallelism", NAMES)
def test_blocks_are_compiled_only_where_weights_stay_whole(planned, parallelism):
    compiled = planned("full", settings=["full.compile=true"])
    if parallelism not in ("fsdp2", "zero3"):
        return check_parallelism([compiled], parallelism)
    words = (
        f"'full' has its blocks compiled, which was never tried where {NAMES[parallelism]} shares out weights; leave out full.c"
    )
    with pytest.raises(UserError, match=words):
        check_parallelism([planned("full"), compiled], parallelism)


def test_the_docs_say_what_is_refused(planned):
    """docs/launching.md: a row for each way, a column for each kind of strategy and each precision."""
    text = (Path(__file__).parents[3] / "docs" / "launching.md").read_text(encoding="utf-8")
    lines = text.split("## What runs under which?")[1].split("\n##")[0].splitlines()
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert [row[0] for row in rows] == [NAMES[way] for way in ("none", "ddp", "zero1", "zero2", "zero3", "fsdp2")]
    assert header[4] == "8 or 4 bit"
    quantised = [planned("lora-8bit", settings=[f"lora-8bit.bits={bits}"]).strategy for bits in (8, 4)]
    kinds = ("full", "frozen", "instruction", "multitask", "zero-shot", "few-shot")
    others = [planned(kind).strategy for kind in kinds] + [planned("lora-8bit", settings=["lora-8bit.bits=32"]).strategy]
    ways = {name: way for way, name in NAMES.items()}
    for name, *cells in rows:
        refused = {refusal(strategy, ways[name]) is not None for strategy in quantised}
        assert refused == {cells[3] == "no"} and cells[3] in ("yes", "no")
        assert not any(refusal(strategy, ways[name]) for strategy in others)
        assert set(cells[:3] + cells[4:]) == {"yes"}

"""Which strategy runs under which launcher, before anything starts."""

from pathlib import Path

import pytest
import ways

from bench.devices.launched import NAMES
from bench.errors import UserError
from bench.preflight.parallelism import check_parallelism, refusal

ROWS = {NAMES[way]: way for way in ("none", "ddp", "zero1", "zero2", "zero3")}
ROWS |= {"ZeRO-3 with offload": "zero3-offload", NAMES["fsdp2"]: "fsdp2"}
COLUMNS = {
    "full": ["full"],
    "frozen, instruction, multitask, rehearsal": ["frozen", "instruction", "multitask", "rehearsal"],
    "LoRA in fp32": ["lora"],
    "virtual tokens": ["prompts", "prefix"],
    "8 or 4 bit": ["lora-8bit", "lora-4bit"],
    "`full` in bf16": ["full in bf16"],
}
"""Of docs/launching.md -> the strategies of tests/ways.py that each is about."""


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


def test_the_docs_say_what_is_tried_and_what_is_refused(planned):
    """docs/launching.md: a row for each way, a column for each kind of strategy, and what test_sharding.py does of them."""
    text = (Path(__file__).parents[3] / "docs" / "launching.md").read_text(encoding="utf-8")
    lines = text.split("## What runs under which?")[1].split("\n##")[0].splitlines()
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert {row[0]: dict(zip(header[1:], row[1:], strict=True)) for row in rows} == {
        row: {column: cell(planned, way, column) for column in COLUMNS} for row, way in ROWS.items()
    }
    # No strategy is left out. Rows that train nothing have no column.
    done = {f"{strategy} in bf16" if suite == ways.BF16 else strategy for suite, strategy in ways.RUNS}
    assert done - {"zero-shot", "few-shot"} == {strategy for strategies in COLUMNS.values() for strategy in strategies}


def test_every_kind_is_compared_with_one_process(tmp_path):
    ways.written(tmp_path, Path("no-decoder"))
    found, known = ways.kinds(tmp_path), ways.all_kinds()
    assert not {part: left for part, kinds in known.items() if (left := kinds - found[part])}


def cell(planned, way, column):
    """What the table is to say of strategies under a way, which is the same for all of them."""
    said = set()
    for strategy in COLUMNS[column]:
        name, bf16 = strategy.removesuffix(" in bf16"), strategy.endswith(" in bf16")
        suites = [suite for suite, each in ways.RUNS if each == name and (suite == ways.BF16) == bf16]
        bits = {"lora-8bit": 8, "lora-4bit": 4}.get(name, 32)
        if refusal(planned("lora-8bit", settings=[f"lora-8bit.bits={bits}"]).strategy, way.removesuffix("-offload")):
            said.add("no")
        else:  # one process does all, to hold the others against it
            said.add("yes" if way == "none" or any(ways.tried(way, suite, name) for suite in suites) else "not tried")
    (word,) = said
    return word

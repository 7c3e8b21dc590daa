"""`make perf`: how fast tunebench trains and asks, against what a careful user would write without it.

    python baselines/perf.py --markdown docs/performance.md
    python baselines/perf.py --share 0.1 --rounds 1 --only "decoder, all weights"     # a look at whether it works

Each contender is a process of its own, and reads the same examples or questions from a file. All take turns in each round, so
that what slows the machine slows all of them; a ratio is of one round, and the median of the rounds is told with the least and
the most. baselines/speed/ holds the contenders: plain scripts, and what drives tunebench's own engine.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from baselines.speed import table
from baselines.speed.table import Done, Found, Line

SPEED = Path(__file__).with_name("speed")
LINES = (
    Line(
        "encoder, all weights",
        "encoder",
        "full",
        {
            "tunebench": "ours.py train full 1",
            "Trainer, padded to 128 tokens": "trainer.py full padded 1",
            "Trainer, padded per batch": "trainer.py full dynamic 1",
            "Trainer, grouped by length": "trainer.py full grouped 1",
            "Trainer, grouped, batches made beside": "trainer.py full workers 1",
        },
    ),
    Line(
        "encoder, frozen",
        "encoder",
        "frozen",
        {
            "tunebench": "ours.py train frozen 3",
            "Trainer, grouped by length": "trainer.py frozen grouped 3",
            "tunebench, all weights": "ours.py train full 3",
        },
    ),
    Line(
        "encoder, LoRA",
        "encoder",
        "lora-8bit",
        {
            "tunebench, base in 8 bit": "ours.py train lora-8bit 1",
            "tunebench, base in fp32": "ours.py train lora-32bit 1",
            "Trainer with peft, grouped by length": "trainer.py lora grouped 1",
        },
    ),
    Line(
        "decoder, all weights",
        "decoder",
        "full",
        {
            "tunebench": "ours.py train full 1",
            "SFTTrainer": "sft.py full plain",
            "SFTTrainer, grouped by length": "sft.py full grouped",
            "SFTTrainer, packed": "sft.py full packed",
        },
    ),
    Line(
        "decoder, LoRA",
        "decoder",
        "lora-8bit",
        {
            "tunebench, base in 8 bit": "ours.py train lora-8bit 1",
            "tunebench, base in fp32": "ours.py train lora-32bit 1",
            "SFTTrainer, grouped by length": "sft.py lora grouped",
            "SFTTrainer, packed": "sft.py lora packed",
        },
    ),
    Line(
        "decoder, blocks compiled",
        "decoder",
        "full",
        {
            "tunebench, compiled": "ours.py train full 2 compile=true",
            "tunebench": "ours.py train full 2",
            "SFTTrainer, packed": "sft.py full packed",
        },
    ),
    Line("872 reviews by likelihood", "likelihood", "", {"tunebench": "ours.py ask", "lm-evaluation-harness": "harness.py"}),
    Line("100 reviews after 4 solved", "few-shot", "", {"tunebench": "ours.py ask", "lm-evaluation-harness": "harness.py"}),
    Line(
        "200 reviews under an instruction",
        "instruction",
        "",
        {"tunebench": "ours.py ask", "lm-evaluation-harness": "harness.py"},
    ),
    Line("200 last words (LAMBADA)", "lambada", "", {"tunebench": "ours.py ask", "lm-evaluation-harness": "harness.py"}),
)
RUNS = {"encoder": "ours.py parts", "decoder": "ours.py parts"}
"""Whole runs, of which the parts are told; once, in the first round."""


@dataclass
class Round:
    """One turn of everything; what two lines share is done once."""

    folder: Path
    done: dict[tuple[str, str], Found] = field(default_factory=dict)

    def found(self, work: str, command: str) -> Found:
        """What a contender has come to."""
        if (work, command) not in self.done:
            script, *words = command.split()
            told, peak = finished([script, str(self.folder / f"{work}.json"), *words])
            self.done[work, command] = Found(told["seconds"], peak, told.get("right"), told.get("parts"))
            seconds = ", ".join(f"{each:.1f}" for each in told["seconds"])
            print(f"  {work}, {command}: {seconds} s, {peak / 1e9:.2f} GB", file=sys.stderr, flush=True)
        return self.done[work, command]


def finished(words: Sequence[str]) -> tuple[dict[str, Any], int]:
    """What a script of baselines/speed/ prints last, and the most memory that its process held: at least what this
    process holds, which Linux counts for those that it starts.

    Raises:
        SystemExit: it failed; what it said goes on the terminal.
    """
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as errors:
        command = [sys.executable, str(SPEED / words[0]), *words[1:]]
        process = subprocess.Popen(command, stdout=said, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0), errors.seek(0)
        if process.returncode:
            raise SystemExit(f"{errors.read().decode()[-3000:]}\n{' '.join(words)} failed")
        lines = said.read().decode().splitlines()
        return json.loads(lines[-1]) if lines else {}, usage.ru_maxrss * 1024


def measured(folder: Path, lines: Sequence[Line], runs: Sequence[str]) -> Round:
    """One round."""
    turn = Round(folder)
    turn.done["peak", ""] = Round(folder).found("encoder", "ours.py peak")
    for line in lines:
        for command in line.contenders.values():
            turn.found(line.work, command)
    for work in runs:
        turn.found(work, RUNS[work])
    return turn


def whole_rounds(folder: Path, lines: Sequence[Line], wanted: int, runs: Sequence[str]) -> list[Done]:
    """The rounds that came to their end. Ctrl-C leaves out those that did not, as the whole takes an hour and more.

    Raises:
        KeyboardInterrupt: in the first round.
    """
    rounds = list[Done]()
    try:
        for number in range(wanted):
            print(f"round {number + 1} of {wanted}", file=sys.stderr)
            rounds.append(measured(folder, lines, () if number else runs).done)
    except KeyboardInterrupt:
        if not rounds:
            raise
        print(f"stopped: the tables are of {len(rounds)} of {wanted} rounds", file=sys.stderr)
    return rounds


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0, help="of the examples and questions")
    parser.add_argument("--only", nargs="+", metavar="LINE", help="; ".join(line.name for line in LINES))
    parser.add_argument("--markdown", type=Path, help="a page whose tables are put in place of the old ones")
    asked = parser.parse_args(arguments)
    lines = [line for line in LINES if asked.only is None or line.name in asked.only]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        finished(["ours.py", str(folder), "prepare", str(asked.share)])
        works = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
        rounds = whole_rounds(folder, lines, asked.rounds, () if asked.only else tuple(RUNS))
    command = "make perf" if asked.share == 1 else f"python baselines/perf.py --share {asked.share:g}"
    text = table.page(lines, () if asked.only else tuple(RUNS.items()), works, rounds, command)
    if asked.markdown:
        table.put(asked.markdown, text)
    print(text)


if __name__ == "__main__":
    main()

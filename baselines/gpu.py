"""What a GPU gives: the numbers of the CPU within their intervals, and how fast it trains. Written to docs/gpu.md.

    make gpu        # or: python baselines/gpu.py --to docs/gpu.md

All numbers are read from the records of `tunebench run`; only the peak is measured here, by a product of large matrices.
Without a GPU it says so, and writes nothing.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from bench.folders import write_text
from bench.records.outcome import Score
from bench.records.record import Record
from bench.records.store import read_all

SMALL = ["--model", "tiny-bert", "--strategies", "zero-shot,full,frozen", "--budget", "200", "--precision", "fp32"]
"""What is done on both devices."""
FAST = ["--strategies", "full,frozen,lora-8bit", "--precision", "bf16"]
"""What is timed, of the suite's own model."""
SIDE, PRODUCTS = 8192, 50


def peak() -> float:
    """FLOPs a second of products of (SIDE, SIDE) matrices in bf16."""
    one, other = (torch.randn(SIDE, SIDE, dtype=torch.bfloat16, device="cuda") for _ in range(2))
    one @ other
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(PRODUCTS):
        one @ other
    torch.cuda.synchronize()
    return PRODUCTS * 2 * SIDE**3 / (time.perf_counter() - started)


def records(out: Path, options: Sequence[str], **environment: str) -> dict[str, Record]:
    """By strategy, of one `tunebench run` of the suite sentiment, which ends the script where a run fails."""
    command = [str(Path(sys.executable).with_name("tunebench")), "run", "--suite", "sentiment", *options, "--out", str(out)]
    subprocess.run(command, check=True, env=os.environ | environment)
    return {record.setup.strategy: record for record in read_all(out) if record.setup}


def equality(cpu: dict[str, Record], gpu: dict[str, Record]) -> list[str]:
    """Rows: both scores, and whether each lies in the other's interval."""
    rows = ["| strategy | CPU | GPU | each in the other's interval |", "|---|---|---|---|"]
    for name, record in cpu.items():
        one, other = _score(record), _score(gpu[name])
        inside = _inside(one.value, other) and _inside(other.value, one)
        rows.append(f"| {name} | {one.value:.4f} | {other.value:.4f} | {'yes' if inside else '**no**'} |")
    return rows


def _score(record: Record) -> Score:
    """Of a run that was done: another has none, and says why."""
    if not record.outcome or not record.outcome.score:
        raise SystemExit(f"{record.setup.strategy if record.setup else record.run_id}: {record.reason}")
    return record.outcome.score


def _inside(value: float, score: Score) -> bool:
    return score.ci_low is not None and score.ci_high is not None and score.ci_low <= value <= score.ci_high


def speed(ways: dict[str, dict[str, Record]], most: float) -> list[str]:
    """Rows: tokens a second of all devices together, and the useful FLOPs as a share of what one device's peak comes to."""
    rows = ["| launched as | strategy | devices | tokens/s | share of the peak |", "|---|---|---|---|---|"]
    for way, found in ways.items():
        for name, record in found.items():
            cost, devices = record.cost, int(record.provenance.device["processes"])
            # Only somebody else's results leave these open.
            assert cost and cost.useful_flops and cost.device_seconds and cost.train_tokens and cost.train_seconds
            share = cost.useful_flops / cost.device_seconds / most
            rows.append(f"| {way} | {name} | {devices} | {cost.train_tokens / cost.train_seconds:,.0f} | {share:.1%} |")
    return rows


def page(device: str, most: float, same: Sequence[str], fast: Sequence[str]) -> str:
    """The text of docs/gpu.md."""
    made = f"`make gpu` wrote this page on {datetime.now(UTC):%Y-%m-%d}, on {device}."
    peaks = f"The peak is {most / 1e12:.1f} TFLOP/s, of products of {SIDE} x {SIDE} matrices in bf16 in the same run."
    parts = ["# What does a GPU give?", made, "## The same numbers?", "\n".join(same), "## How fast?", peaks, "\n".join(fast)]
    return "\n\n".join(parts) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Do the runs and write the page, where there is a GPU."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=Path("docs/gpu.md"))
    to = parser.parse_args(arguments).to
    if not torch.cuda.is_available():
        print("torch sees no GPU here, so nothing was run and nothing was written.")
        return
    with TemporaryDirectory() as folder:
        out, count = Path(folder), torch.cuda.device_count()
        cpu = records(out / "cpu", SMALL, ACCELERATE_USE_CPU="true", CUDA_VISIBLE_DEVICES="")
        same = equality(cpu, records(out / "gpu", SMALL, CUDA_VISIBLE_DEVICES="0"))
        ways = {"one GPU": records(out / "one", FAST, CUDA_VISIBLE_DEVICES="0")}
        for way in ("gpus", "fsdp2") if count > 1 else ():
            ways[way] = records(out / way, ["--launch", way, "--strategies", "full", "--precision", "bf16"])
        most = peak()
        write_text(to, page(f"{count} x {torch.cuda.get_device_name()}", most, same, speed(ways, most)))


if __name__ == "__main__":
    main()

"""How fast the page is with ten thousand runs: `python baselines/page.py` makes them up, writes the page and works in it.

Ten models on ten tasks, twenty strategies with five seeds each, 400 items and two probes a run. Seconds are of one process;
"CPU" are those that it computed, which a busy machine does not lengthen. The browser is Debian's chromium, by Playwright.
"""

import json
import shutil
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import typer

from reports.page import leaderboard

MODELS, TASKS, STRATEGIES, SEEDS, ITEMS, PROBED = 10, 10, 20, 5, 400, 64
PROBES = {"wikipedia": ("loss (nats per token)", False), "lambada": ("accuracy", True)}


def record(run: int, accuracy: float, base: float) -> tuple[dict[str, Any], int]:
    seed, rest = run % SEEDS, run // SEEDS
    strategy, rest = rest % STRATEGIES, rest // STRATEGIES
    task, model = rest % TASKS, rest // TASKS
    score = {
        "name": "accuracy",
        "value": accuracy,
        "ci_low": accuracy - 0.04,
        "ci_high": accuracy + 0.04,
        "n": ITEMS,
        "share": True,
    }
    gain = {"value": accuracy - base, "ci_low": accuracy - base - 0.05, "ci_high": accuracy - base + 0.05}
    names = {
        "suite": f"suite-{task % 3}",
        "model": f"model-{model}",
        "task": f"task-{task}",
        "strategy": f"strategy-{strategy}",
    }
    hyperparameters = {"learning_rate": 1e-5 * (strategy + 1), "warmup": 0.1, "batch": 16, "peft": {"r": 8, "lora_alpha": 16}}
    lost = {
        name: {"value_name": value, "higher_is_better": share, "share": share, "before": 0.5, "after": 0.48, "n": PROBED}
        | {"delta": 0.02, "ci_low": -0.01, "ci_high": 0.05}
        for name, (value, share) in PROBES.items()
    }
    outcome = {"score": score, "metrics": {"accuracy": score}, "base_score": base, "gain": gain, "forgetting": lost}
    cost = {
        "train_examples": 2000,
        "train_tokens": 60_000,
        "train_flops": 10**13 * (strategy + 1),
        "train_seconds": 30.0 + strategy,
    }
    cost |= {"eval_seconds": 9.0, "peak_memory_bytes": 10**9 * (1 + strategy), "trainable_parameters": 10**6 * (1 + strategy)}
    cost |= {"total_parameters": 135_000_000, "saved_bytes": 4 * 10**6 * (1 + strategy)}
    inputs = {
        "engine": 9,
        "strategy": names["strategy"],
        "hyperparameters": hyperparameters,
        "seed": seed,
        "budget": "2000examples",
    }
    return {
        "schema_version": 2,
        "run_id": f"{run:016x}",
        "status": "ok",
        "setup": {**names, "hyperparameters": hyperparameters, "seed": seed, "budget": "2000examples"},
        "outcome": {**outcome, "losses": [round(0.7 - 0.003 * step, 4) for step in range(125)]},
        "cost": cost,
        "provenance": {
            "versions": {"torch": "2.13.0", "transformers": "5.23.0", "peft": "0.19.0"},
            "device": {"type": "cpu", "name": "a CPU", "processes": 1, "precision": "fp32"},
            "model_hash": f"{model:064x}",
            "data_hash": f"{task:064x}",
            "engine_version": 9,
            "started": "2026-11-24T10:09:52+00:00",
            "inputs": {**inputs, "task": {"name": names["task"], "version": 1}},
        },
    }, task


def answers(run: int, task: int, generator: np.random.Generator) -> tuple[pa.Table, float, float]:
    """Some items are hard for all, and rows differ by the strategy."""
    fixed = np.random.default_rng(task)
    gold, ease = fixed.integers(2, size=ITEMS), fixed.normal(size=ITEMS)
    strategy = run // SEEDS % STRATEGIES
    right = ease + generator.normal(size=ITEMS) + 0.6 + 0.05 * strategy > 0
    before = ease + np.random.default_rng(1000 + task).normal(size=ITEMS) > 0
    labels = np.array(["negative", "positive"])
    texts = [f"Item {number} of task {task}: {'a few words of a review ' * (1 + number % 3)}" for number in range(ITEMS)]
    nothing: list[Any] = [None] * ITEMS
    was = fixed.normal(3, 0.3, 2 * PROBED)
    columns = {
        "kind": ["task"] * ITEMS + ["probe"] * 2 * PROBED,
        "name": [f"task-{task}"] * ITEMS + ["wikipedia"] * PROBED + ["lambada"] * PROBED,
        "item": [f"test-{number}" for number in range(ITEMS)] + [str(number) for number in range(PROBED)] * 2,
        "text": texts + [None] * 2 * PROBED,
        "gold": [*labels[gold], *[None] * 2 * PROBED],
        "before": [*labels[np.where(before, gold, 1 - gold)], *[None] * 2 * PROBED],
        "prediction": [*labels[np.where(right, gold, 1 - gold)], *[None] * 2 * PROBED],
        "confidence": [*generator.uniform(0.5, 1, ITEMS).round(3), *[None] * 2 * PROBED],
        "before_value": [*nothing, *was],
        "value": [*nothing, *(was + generator.normal(0.02, 0.1, 2 * PROBED))],
        "weight": [*nothing, *np.ones(2 * PROBED)],
    }
    return pa.table(columns), float(right.mean()), float(before.mean())


def make(out: Path, runs: int) -> None:
    folder = out / "records"
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for run in range(runs):
        task = run // SEEDS // STRATEGIES % TASKS
        table, accuracy, base = answers(run, task, generator)
        found, _ = record(run, accuracy, base)
        pq.write_table(table, folder / f"{found['run_id']}.parquet")
        (folder / f"{found['run_id']}.json").write_text(json.dumps(found))


def timed(what: str, out: Path) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    path = leaderboard.write_page(out, out)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what}: {wall:.1f} s ({cpu:.1f} s CPU), {path.stat().st_size / 1e6:.2f} MB", flush=True)


def _computed(devtools: Any) -> float:
    """Milliseconds that the page's thread has computed."""
    metrics = {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}
    return 1000 * metrics["TaskDuration"]


def browse(out: Path) -> None:
    from playwright.sync_api import sync_playwright

    steps = {
        "sort by score": "() => ranking.table.changed({ sort: 'score:descending', page: 1 })",
        "sort by strategy": "() => ranking.table.changed({ sort: 'strategy:ascending', page: 1 })",
        "filter by model": "() => state.set({ model: 'model-3' })",
        "filter by model and task": "() => state.set({ task: 'task-4' })",
        "all again": "() => state.set({ model: null, task: null })",
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto((out / leaderboard.FILE).resolve().as_uri())
        opened = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        print(f"opened after {opened:.0f} ms; {page.evaluate('ranking.lines.length'):,} rows")
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        for name, step in steps.items():
            took = []
            for _ in range(3):
                before = _computed(devtools)
                once = (
                    f"const from = performance.now(); ({step})(); document.body.offsetHeight; return performance.now() - from;"
                )
                wall = page.evaluate(f"() => {{ {once} }}")
                took.append(f"{wall:.0f} ms ({_computed(devtools) - before:.0f} ms CPU)")
            print(f"{name}: {', '.join(took)}")
        browser.close()


def main(
    runs: Annotated[int, typer.Option()] = MODELS * TASKS * STRATEGIES * SEEDS, out: Path = Path("out/page-speed")
) -> None:
    """Time the page."""
    if not (out / "records").exists():
        make(out, runs)
    shutil.rmtree(out / "summary", ignore_errors=True)
    timed("first", out)
    timed("from the kept summary", out)
    changed = next((out / "records").glob("*.json"))
    changed.touch()
    timed("after one record of one suite changed", out)
    browse(out)


if __name__ == "__main__":
    typer.run(main)

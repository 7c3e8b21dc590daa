"""A decoder as most people evaluate it: lm-evaluation-harness on a file of questions.

Nothing of tunebench is in its process; baselines/perf.py runs it. It prints the seconds, and the share of right answers.

    python baselines/speed/harness.py QUESTIONS.json
"""

import json
import sys
import time
from pathlib import Path

from datasets import Dataset
from lm_eval import evaluate
from lm_eval.api.task import ConfigurableTask
from lm_eval.models.huggingface import HFLM


def main(work: str) -> None:
    """Ask every question, and print what came of it."""
    given = json.loads(Path(work).read_text())
    questions = Dataset.from_list(given["questions"])
    # One answer to a question: is it what the model would write? Several: which is the likeliest?
    several = len(given["questions"][0]["choices"]) > 1
    way = {"output_type": "multiple_choice", "doc_to_choice": "choices", "doc_to_target": "gold"}
    alone = {"output_type": "loglikelihood", "doc_to_target": "{{choices[0]}}"}
    task = ConfigurableTask(
        config={
            "task": "speed",
            "custom_dataset": lambda **_: {"test": questions},
            "test_split": "test",
            "doc_to_text": "{{context}}",
            "target_delimiter": "",
            "metric_list": [{"metric": "acc"}],
            **(way if several else alone),
        }
    )
    model = HFLM(pretrained=given["folder"], device="cpu", dtype="float32", batch_size=given["batch"])
    started = time.perf_counter()
    found = evaluate(model, {"speed": task}, bootstrap_iters=0)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": [seconds], "right": found["results"]["speed"]["acc,none"]}))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""An encoder as most people fine-tune it: transformers' Trainer, with all weights, the upper ones, or LoRA by peft.

Nothing of tunebench is in its process; baselines/perf.py runs it. It prints the seconds of each pass over the examples.

    python baselines/speed/trainer.py WORK.json full|frozen|lora padded|dynamic|grouped|workers PASSES
"""

import json
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from peft import LoraConfig, get_peft_model
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

SETTINGS: dict[str, dict[str, object]] = {
    "padded": {},  # to 128 tokens, the default of transformers' run_glue.py
    "dynamic": {},  # to the longest of each batch
    "grouped": {"train_sampling_strategy": "group_by_length"},
    "workers": {"train_sampling_strategy": "group_by_length", "dataloader_num_workers": 1},
}


class Passes(TrainerCallback):
    """The clock at the begin and the end of each pass."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_train_begin(self, *_: object, **__: object) -> None:
        self.times.append(time.perf_counter())

    def on_epoch_end(self, *_: object, **__: object) -> None:
        self.times.append(time.perf_counter())


def main(work: str, way: str, setting: str, passes: str) -> None:
    """Fine-tune for so many passes."""
    given = json.loads(Path(work).read_text())
    tokenizer = AutoTokenizer.from_pretrained(given["folder"])
    model = AutoModelForSequenceClassification.from_pretrained(given["folder"], dtype="float32", num_labels=2)
    if way == "frozen":
        below = model.base_model.encoder.layer[: given["frozen"]]
        for part in (model.base_model.embeddings, *below):
            part.requires_grad_(False)
    if way == "lora":
        model = get_peft_model(model, LoraConfig(task_type="SEQ_CLS", r=8, lora_alpha=16, target_modules="all-linear"))
    to_length = {"padding": "max_length", "max_length": 128} if setting == "padded" else {}
    clock = Passes()
    with tempfile.TemporaryDirectory() as output:
        arguments = TrainingArguments(
            output_dir=output,
            per_device_train_batch_size=given["batch"],
            num_train_epochs=int(passes),
            learning_rate=1e-4,
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            logging_strategy="no",
            **SETTINGS[setting],
        )
        collator = DataCollatorWithPadding(tokenizer, **to_length)
        Trainer(model, arguments, collator, train_dataset=given["rows"], callbacks=[clock]).train()
    seconds = [after - before for before, after in pairwise(clock.times)]
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A decoder as most people fine-tune it: TRL's SFTTrainer with the loss on answers alone, all weights or LoRA by peft.

Nothing of tunebench is in its process; baselines/perf.py runs it. It prints the seconds of training.

    python baselines/speed/sft.py WORK.json full|lora plain|grouped|packed
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

PACKED = 512
"""Tokens of a packed row: about as many as a batch of 16 reviews holds."""


def main(work: str, way: str, setting: str) -> None:
    """Fine-tune for one pass over the examples."""
    given = json.loads(Path(work).read_text())
    tokenizer = AutoTokenizer.from_pretrained(given["folder"])
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(given["folder"], dtype="float32")
    lora = LoraConfig(task_type="CAUSAL_LM", r=8, lora_alpha=16, target_modules="all-linear") if way == "lora" else None
    settings: dict[str, dict[str, object]] = {
        "plain": {},
        "grouped": {"train_sampling_strategy": "group_by_length"},
        "packed": {"packing": True, "max_length": PACKED, "per_device_train_batch_size": 1},
    }
    common = {"per_device_train_batch_size": given["batch"], "num_train_epochs": 1, "learning_rate": 1e-4}
    quiet = {"report_to": [], "save_strategy": "no", "logging_strategy": "no", "disable_tqdm": True}
    with tempfile.TemporaryDirectory() as output:
        arguments = SFTConfig(
            output_dir=output,
            completion_only_loss=True,
            gradient_checkpointing=False,  # its default costs time for memory that this machine has
            bf16=False,
            use_cpu=True,
            **{**common, **quiet, **settings[setting]},
        )
        examples = Dataset.from_list(given["rows"])
        trainer = SFTTrainer(model, arguments, train_dataset=examples, processing_class=tokenizer, peft_config=lora)
        started = time.perf_counter()
        trainer.train()
        print(json.dumps({"seconds": [time.perf_counter() - started]}))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What most people would write: transformers' Trainer on ready token ids, padded per batch.

A script of its own, so that nothing of tunebench is in its process; baselines/perf.py runs it on the same encoded examples as
tunebench's own loop. Prints the seconds of training alone: wall clock, and processor time.

    python baselines/plain_trainer.py MODEL_FOLDER ROWS.json decoder|encoder random|group_by_length BATCH LEARNING_RATE
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)


def main(folder: str, rows: str, family: str, order: str, batch: str, rate: str) -> None:
    """Fine-tune every weight for one epoch."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    if family == "decoder":
        model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32")
        collator = DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=-100)
    else:
        model = AutoModelForSequenceClassification.from_pretrained(folder, dtype="float32", num_labels=2)
        collator = DataCollatorWithPadding(tokenizer)
    with tempfile.TemporaryDirectory() as output:
        arguments = TrainingArguments(
            output_dir=output,
            per_device_train_batch_size=int(batch),
            num_train_epochs=1,
            learning_rate=float(rate),
            train_sampling_strategy=order,  # transformers 5's name for group_by_length
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            logging_strategy="no",
        )
        examples = json.loads(Path(rows).read_text())
        trainer = Trainer(model=model, args=arguments, train_dataset=examples, data_collator=collator)
        started, worked = time.perf_counter(), time.process_time()
        trainer.train()
        print(f"\n{time.perf_counter() - started} {time.process_time() - worked}")


if __name__ == "__main__":
    main(*sys.argv[1:])

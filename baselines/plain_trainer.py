"""What most people would write: transformers' Trainer on prompt and answer, padded per batch, loss on the answer alone.

Run by baselines/perf.py on the same encoded examples as tunebench's own loop; prints the seconds of training alone.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import DataCollatorForSeq2Seq, PreTrainedModel, Trainer, TrainingArguments


def train(model: PreTrainedModel, tokenizer: Any, rows: Sequence[dict[str, list[int]]], batch: int, folder: Path) -> float:
    """Fine-tune every weight for one epoch; returns seconds."""
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=batch,
        num_train_epochs=1,
        learning_rate=2e-5,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        logging_strategy="no",
    )
    collator = DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=-100)
    trainer = Trainer(model=model, args=arguments, train_dataset=list(rows), data_collator=collator)  # type: ignore[arg-type]
    started = time.perf_counter()
    trainer.train()
    return time.perf_counter() - started

"""Whether a model can read a task's texts: a tokenizer without its words, or of another language, knows few of them."""

from collections.abc import Iterable

from bench.errors import UserError
from bench.runs.run import Run
from bench.tasks import splits

MOST_UNKNOWN = 0.2
"""Of the tokens. BERT's tokenizer knows each of the 50,385 in such examples of reviews, abstracts, filings and news."""
READ_EXAMPLES = 256
"""Of training, that are looked at."""


def check_tokenizers(runs: Iterable[Run]) -> None:
    """Have each model's tokenizer cut training texts of each task.

    Raises:
        UserError: too many of the tokens are unknown to it; nothing has been trained by then.
    """
    checked = set()
    for run in runs:
        for task in run.training_tasks if run.model.checkpoint and not run.unfit else ():
            if (key := (run.model.content_hash, task.name)) in checked:
                continue
            checked.add(key)
            tokenizer = run.checkpoint.tokenizer
            texts = [" ".join(example.fields.values()) for example in splits.load_training(task).train[:READ_EXAMPLES]]
            ids = [token for cut in tokenizer(texts, add_special_tokens=False)["input_ids"] for token in cut]
            unknown = ids.count(tokenizer.unk_token_id)
            if unknown > MOST_UNKNOWN * len(ids):
                counts = f"{unknown:,} of {len(ids):,} in {len(texts)} examples, more than {MOST_UNKNOWN:.0%}"
                raise UserError(
                    f"the tokenizer of model '{run.model.name}' does not know {unknown / len(ids):.0%} of the tokens of task "
                    f"'{task.name}' ({counts}); give the model its own tokenizer, or take a model of this language"
                )

"""Keeps other packages' chatter out of the progress and the table; call it before they are imported."""

import logging
import os
import warnings


def libraries(debug: bool) -> None:
    """Errors still come through; with `debug` everything does."""
    if debug:
        return
    # setdefault: what a person has set in the environment stands.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")  # transformers reads GGUF under a bar that no setting of its own hides
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    # A process that has tokenised on several threads warns at each later fork (huggingface/transformers#5486).
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("BITSANDBYTES_NOWELCOME", "1")
    os.environ.setdefault("DS_LOG_LEVEL", "error")
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)  # for all loggers: libraries set their own loggers' levels when they are imported
    # Only now: transformers reads the variables above while it is imported.
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()

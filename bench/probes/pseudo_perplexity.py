"""What an encoder still knows of language: nats per token when each token is masked in turn (Salazar et al. 2020).

e to this number is the pseudo-perplexity. The base model's masked-LM head, as it was, reads the tuned backbone.
"""

from collections import Counter

import pandas as pd
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from bench.errors import UserError
from bench.inference.backend import Backend
from bench.modeling.models import Model
from bench.probes.base import Probe
from bench.tokens.encoded import IGNORE, Encoded


class PseudoPerplexity(Probe):
    family = "encoder"
    uses = "losses"
    value = "masked loss (nats per token)"
    higher_is_better = False
    share = False
    spread = 0.5
    needs = frozenset({"text"})

    @classmethod
    def unfit(cls, model: Model) -> str | None:
        # Of a checkpoint without such a head transformers would make a fresh one, which knows nothing.
        known = set(MODEL_FOR_MASKED_LM_MAPPING_NAMES.values())
        if known & set(model.config.architectures or []):
            return None
        return f"model '{model.name}' was saved without a masked-LM head ({', '.join(model.config.architectures or ['none'])})"

    def measure(self, backend: Backend) -> pd.DataFrame:
        masked, owners = self._masked()
        nats = [0.0] * len(self.rows)
        for owner, loss in zip(owners, backend.losses(masked), strict=True):
            nats[owner] += loss
        counts = Counter(owners)
        if bare := [row["text"] for number, row in enumerate(self.rows) if not counts[number]]:
            who = f"probe '{self.spec.name}': the tokenizer of '{self.encoding.model.name}'"
            raise UserError(f"{who} leaves nothing of the text {bare[0]!r:.80}; drop it from the rows")
        weights = [float(counts[number]) for number in range(len(self.rows))]
        return self.frame([total / weight for total, weight in zip(nats, weights, strict=True)], weights)

    def _masked(self) -> tuple[list[Encoded], list[int]]:
        """Each text once per token of its own, with that token masked and labelled; and the texts' numbers."""
        tokenizer = self.encoding.model.tokenizer
        masked, owners = [], []
        for number, row in enumerate(self.rows):
            read = tokenizer(row["text"], truncation=True, max_length=self.encoding.max_length, return_special_tokens_mask=True)
            ids = read["input_ids"]
            # By what the tokenizer added: an unknown word's token is special too, and stands for a word.
            for place, (token, added) in enumerate(zip(ids, read["special_tokens_mask"], strict=True)):
                if not added:
                    labels = tuple(token if i == place else IGNORE for i in range(len(ids)))
                    masked.append(Encoded((*ids[:place], tokenizer.mask_token_id, *ids[place + 1 :]), labels=labels))
                    owners.append(number)
        return masked, owners

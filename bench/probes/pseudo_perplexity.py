"""What an encoder still knows of language: nats per token when each token is masked in turn (Salazar et al. 2020).

e to this number is the pseudo-perplexity. The base model's masked-LM head, as it was, reads the tuned trunk.
"""

import pandas as pd
import torch
from torch import nn
from transformers import AutoModelForMaskedLM
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from bench.inference.embeddings import trunk
from bench.modeling.models import Model
from bench.probes.base import Probe
from bench.tokens.batches import padded
from bench.tokens.encoded import IGNORE, Encoded


class PseudoPerplexity(Probe):
    family = "encoder"
    value = "masked loss (nats per token)"
    higher_is_better = False
    share = False
    needs = frozenset({"text"})

    @classmethod
    def unfit(cls, model: Model) -> str | None:
        known = set(MODEL_FOR_MASKED_LM_MAPPING_NAMES.values())
        if known & set(model.config.architectures or []):
            return None
        return f"model '{model.name}' was saved without a masked-LM head ({', '.join(model.config.architectures or ['none'])})"

    @torch.inference_mode()
    def measure(self, model: nn.Module) -> pd.DataFrame:
        tokenizer, device = self.encoding.model.tokenizer, next(model.parameters()).device
        masked, wanted, owners = self._masked()
        reader = with_head(model, self.encoding.model).to(device)
        nats = [0.0] * len(self.rows)
        # Logits are computed everywhere here, (tokens, vocabulary) in fp32: half the usual batch.
        for indices, batch in padded(masked, tokenizer.pad_token_id, self.tokens // 2, device):
            logits = reader(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
            places = (batch.input_ids == tokenizer.mask_token_id).long().argmax(1)
            rows = logits[torch.arange(len(indices), device=device), places].float()
            losses = nn.functional.cross_entropy(
                rows, torch.tensor([wanted[i] for i in indices], device=device), reduction="none"
            )
            for i, loss in zip(indices, losses.tolist(), strict=True):
                nats[owners[i]] += loss
        counts = [owners.count(number) for number in range(len(self.rows))]
        return self.frame([total / count for total, count in zip(nats, counts, strict=True)], [float(c) for c in counts])

    def _masked(self) -> tuple[list[Encoded], list[int], list[int]]:
        """Each text once per token that is not special, that token masked; the tokens masked; the texts' numbers."""
        tokenizer = self.encoding.model.tokenizer
        masked, wanted, owners = [], [], []
        for number, row in enumerate(self.rows):
            ids = tokenizer(row["text"], truncation=True, max_length=self.encoding.max_length)["input_ids"]
            for place, token in enumerate(ids):
                if token not in tokenizer.all_special_ids:
                    masked.append(Encoded((*ids[:place], tokenizer.mask_token_id, *ids[place + 1 :]), labels=(IGNORE,)))
                    wanted.append(token)
                    owners.append(number)
        return masked, wanted, owners


def with_head(model: nn.Module, base: Model) -> nn.Module:
    """The base's masked-LM model with the trunk of `model` in it, in place of its own."""
    reader: nn.Module = base.load(AutoModelForMaskedLM).eval()
    setattr(reader, str(getattr(reader, "base_model_prefix")), trunk(model))  # noqa: B009 (unknown to mypy on nn.Module)
    return reader

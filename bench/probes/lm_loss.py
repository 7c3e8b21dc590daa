"""Language-modelling loss on plain text: nats per token, every token of a passage but its first, averaged over tokens."""

import pandas as pd
import torch
from torch import nn

from bench.batches import by_length
from bench.encoded import collate
from bench.forward import last_logits, token_losses
from bench.probes.base import Probe


class LmLoss(Probe):
    family = "decoder"
    value = "loss (nats per token)"
    higher_is_better = False
    share = False
    needs = frozenset({"text"})

    @torch.inference_mode()
    def measure(self, model: nn.Module) -> pd.DataFrame:
        passages = [self.encoding.text(row["text"]) for row in self.rows]
        device = next(model.parameters()).device
        pad = self.encoding.model.tokenizer.pad_token_id
        sums = [0.0] * len(passages)
        # Logits are needed everywhere here, (tokens, vocabulary) in fp32: half the usual batch.
        for batch in by_length([len(passage.ids) for passage in passages], self.tokens // 2):
            padded = collate([passages[index] for index in batch], pad, device)
            losses = token_losses(last_logits(model, padded, padded.labels.shape[1]), padded.labels)
            for index, total in zip(batch, losses.double().sum(1).tolist(), strict=True):
                sums[index] = total
        counts = [passage.answer for passage in passages]
        means = [total / count for total, count in zip(sums, counts, strict=True)]
        return self.frame(means, [float(count) for count in counts])

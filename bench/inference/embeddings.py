"""Hidden states of a model's backbone as text embeddings: their mean over real tokens, the last layer's or every layer's."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutput

from bench.modeling.forward import accepts, backbone, prompt_learning, scores_choices, unwrapped
from bench.modeling.heads import Heads
from bench.modeling.weights import shared_out
from bench.tokens.batches import padded
from bench.tokens.encoded import Encoded


def askable_backbone(model: nn.Module) -> nn.Module:
    """The model under its head, adapters and virtual tokens included, as it can be asked by itself: `forward.backbone`, but for
    a model that gives no states unless it is asked as a whole."""
    if prompt_learning(model) or shared_out(model):
        return WholeModel(model)
    return backbone(model)


class WholeModel(nn.Module):
    """The backbone of a model that must be asked as a whole: PEFT puts trained tokens or keys and values before a text only on
    the way through the whole model, and so do FSDP2 and ZeRO-3 put together what is shared out. The text's own positions are
    given, and the virtual ones, of prompt and P-tuning, left out.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, output_hidden_states: bool = False, **more: Any
    ) -> BaseModelOutput:
        named = {name: value for name, value in more.items() if name == "token_type_ids" and value is not None}
        if accepts(self.model, "logits_to_keep"):
            named["logits_to_keep"] = 1
        if isinstance(unwrapped(self.model), Heads):
            named["head"] = 0
        length = input_ids.shape[1]
        given = {"input_ids": input_ids, "attention_mask": attention_mask, **named}
        if scores_choices(self.model):  # each text as the one choice of an example
            given |= {name: value[:, None] for name, value in given.items() if isinstance(value, Tensor)}
        out = self.model(**given, output_hidden_states=True)
        states = tuple(layer[:, -length:] for layer in out.hidden_states)
        return BaseModelOutput(last_hidden_state=states[-1], hidden_states=states if output_hidden_states else None)


@torch.no_grad()
def layer_means(model: nn.Module, texts: Sequence[Encoded], pad: int, tokens: int, every_layer: bool = False) -> Tensor:
    """Mean hidden state of each text on the CPU in fp32: (texts, layers + 1, hidden) with `every_layer`, the embeddings first;
    else the last layer's alone, (texts, 1, hidden). `tokens` bounds a padded batch."""
    device = next(model.parameters()).device
    means: list[Tensor] = [torch.empty(0)] * len(texts)
    for indices, batch in padded(texts, pad, tokens, device):
        types = {} if batch.types is None else {"token_type_ids": batch.types}
        inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask, **types}
        out = askable_backbone(model)(**inputs, output_hidden_states=every_layer)
        states = out.hidden_states if every_layer else [out.last_hidden_state]
        # fp32, because a sum over hundreds of tokens in bf16 would lose the small differences that probes look for.
        mask = batch.attention_mask[..., None].float()
        batch_means = torch.stack([(state.float() * mask).sum(1) / mask.sum(1) for state in states], dim=1)
        for index, mean in zip(indices, batch_means, strict=True):
            means[index] = mean.cpu()
    return torch.stack(means)

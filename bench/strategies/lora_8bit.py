"""LoRA on a base in 8 bit (Hu et al. 2021; Dettmers et al. 2022): the base frozen, norms and logits in fp32."""

from typing import Any, Literal

from peft import get_peft_model, get_peft_model_state_dict, prepare_model_for_kbit_training
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from pydantic import Field, field_validator
from torch import Tensor, nn

from bench.specs import Family
from bench.strategies.base import Hyperparameters, Strategy


class LoraHyperparameters(Hyperparameters):
    bits: Literal[32, 8, 4] = 8
    peft: dict[str, Any] = Field(default={"peft_type": "LORA"})
    """Any PEFT config, as its own to_dict would write it."""
    gradient_checkpointing: bool = False

    @field_validator("peft")
    @classmethod
    def _known(cls, value: dict[str, Any]) -> dict[str, Any]:
        peft_config(value)
        return value


def peft_config(values: dict[str, Any]) -> Any:
    """PEFT's config object; ValueError names a type or field that PEFT does not know."""
    kind = str(values.get("peft_type", "LORA"))
    if kind not in PEFT_TYPE_TO_CONFIG_MAPPING:
        raise ValueError(f"peft_type '{kind}' is unknown; PEFT has {', '.join(map(str, PEFT_TYPE_TO_CONFIG_MAPPING))}")
    try:
        return PEFT_TYPE_TO_CONFIG_MAPPING[kind](**{k: v for k, v in values.items() if k != "peft_type"})
    except TypeError as error:
        raise ValueError(f"{kind}: {error}") from error


class Lora8bit(Strategy):
    Hyperparameters = LoraHyperparameters
    hyperparameters: LoraHyperparameters

    @property
    def bits(self) -> int:
        return self.hyperparameters.bits

    def adapt(self, model: nn.Module, family: Family) -> nn.Module:
        checkpointing = self.hyperparameters.gradient_checkpointing
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=checkpointing)
        wrapped: nn.Module = get_peft_model(model, peft_config(self._completed(model)))
        return wrapped

    def _completed(self, model: nn.Module) -> dict[str, Any]:
        """The config with what follows from the model: PEFT trains a task's fresh head whole, beside the adapters."""
        name = type(model).__name__
        heads = {
            "ForSequenceClassification": "SEQ_CLS",
            "ForTokenClassification": "TOKEN_CLS",
            "ForQuestionAnswering": "QUESTION_ANS",
        }
        kind = next((kind for ending, kind in heads.items() if name.endswith(ending)), "CAUSAL_LM")
        more: dict[str, Any] = {"task_type": kind}
        if self.hyperparameters.peft.get("target_modules") == "all-linear" and kind in ("TOKEN_CLS", "QUESTION_ANS"):
            # `all-linear` leaves out the head of a text classifier only.
            more["exclude_modules"] = ["classifier", "qa_outputs"]
        return {**more, **self.hyperparameters.peft}

    def trained_state(self, model: nn.Module) -> dict[str, Tensor]:
        return dict(get_peft_model_state_dict(model))

"""Any of PEFT's adapters or virtual tokens on a frozen base in 32, 8 or 4 bit, whose norms and logits are in fp32.

By default LoRA on a base in 8 bit (Hu et al. 2021; Dettmers et al. 2022).
"""

import math
from collections.abc import Callable
from typing import Any, Literal, get_args, get_type_hints

from peft import get_peft_model, prepare_model_for_kbit_training
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from pydantic import Field, TypeAdapter, ValidationError, field_validator
from torch import Tensor, nn

from bench.errors import UserError
from bench.modeling.heads import Heads
from bench.modeling.lora_product import multiply_in_one_step
from bench.modeling.positions import positions
from bench.modeling.recomputation import checkpoint_blocks
from bench.modeling.saved import adapter_weights
from bench.modeling.structure import head_modules, layers, linear
from bench.modeling.weights import full_tensor
from bench.specs.base import Family
from bench.strategies.base import Hyperparameters, Strategy

HEADS = {
    "ForSequenceClassification": "SEQ_CLS",
    "ForTokenClassification": "TOKEN_CLS",
    "ForQuestionAnswering": "QUESTION_ANS",
    "ForMultipleChoice": None,
}
"""How transformers ends the names of models with a task's head -> PEFT's name of the task, None where PEFT has none."""


class AdapterHyperparameters(Hyperparameters):
    bits: Literal[32, 8, 4] = 8
    peft: dict[str, Any] = Field(default={"peft_type": "LORA"})
    """Any PEFT config, as its own to_dict would write it."""
    gradient_checkpointing: bool = False

    @field_validator("peft")
    @classmethod
    def _known(cls, value: dict[str, Any]) -> dict[str, Any]:
        config = peft_config(value)
        tokens = getattr(config, "num_virtual_tokens", None)
        if config.is_prompt_learning and (tokens is None or tokens < 1):
            raise ValueError(f"num_virtual_tokens is {tokens}; {value['peft_type']} trains at least 1")
        return value


def peft_config(values: dict[str, Any]) -> Any:
    """PEFT's config object; ValueError names a type or field that PEFT does not know, or a value that a field can't have."""
    kind = str(values.get("peft_type", "LORA"))
    if kind not in PEFT_TYPE_TO_CONFIG_MAPPING:
        raise ValueError(
            f"peft_type '{kind}' is unknown; PEFT has {', '.join(kind.value for kind in PEFT_TYPE_TO_CONFIG_MAPPING)}"
        )
    made, given = PEFT_TYPE_TO_CONFIG_MAPPING[kind], {k: v for k, v in values.items() if k != "peft_type"}
    hints = get_type_hints(made)
    for name, value in given.items():
        _check_value(name, value, hints.get(name))
    try:
        return made(**given)
    except TypeError as error:
        raise ValueError(f"{kind}: {error}") from error


def _check_value(name: str, value: Any, hint: Any) -> None:
    """A number or a word against what PEFT's dataclass says of the field, which it does not check itself."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} is {value}; it must be a finite number")
    if not {*(get_args(hint) or (hint,))} <= {int, float, bool, str, type(None)}:
        return  # lists and patterns are known to be right only with the model
    if isinstance(value, bool) and bool not in (hint, *get_args(hint)):
        raise ValueError(f"{name} is {str(value).lower()}; it must be a number or a word")
    try:
        TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        fault = error.errors()[0]
        if fault["type"] != "int_from_float" or not name.endswith("alpha"):  # lora_alpha is called an int, and 0.5 works
            raise ValueError(f"{name} is {value!r}: {fault['msg']}") from error


def _number_positions(model: nn.Module, args: Any, inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Position ids that don't count padding, which PEFT leaves out where it puts tokens of its own before the text's."""
    if inputs.get("position_ids") is None and (mask := inputs.get("attention_mask")) is not None:
        fed = inputs.get("inputs_embeds")
        length = (inputs["input_ids"] if fed is None else fed).shape[1]
        inputs["position_ids"] = (mask.long().cumsum(1) - 1).clamp(min=0)[:, -length:]
    return args, inputs


class Adapter(Strategy):
    Hyperparameters = AdapterHyperparameters
    hyperparameters: AdapterHyperparameters

    @property
    def bits(self) -> int:
        return self.hyperparameters.bits

    def adapt(self, model: nn.Module, family: Family) -> nn.Module:
        # PEFT would checkpoint a quantised base alone, and none under several heads.
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
        if self.hyperparameters.gradient_checkpointing:
            checkpoint_blocks(model)
        config = peft_config(self._completed(model, family))
        room = positions(model)
        if config.is_prompt_learning and room and config.num_virtual_tokens >= room:
            own = f"peft.num_virtual_tokens={config.num_virtual_tokens}"
            raise UserError(f"strategy '{self.name}': {own} leaves a text no room in the model's {room:,} positions")
        # Batches are padded on the left, and PEFT puts its tokens before the padding (huggingface/peft#1093).
        if config.is_prompt_learning and family == "decoder":
            model.register_forward_pre_hook(_number_positions, with_kwargs=True)
        wrapped: nn.Module = get_peft_model(model, config)
        multiply_in_one_step(wrapped)
        if isinstance(model, Heads):
            for parameter in model.own():
                parameter.requires_grad_(True)  # PEFT does so for the single head of a model that it knows
        return wrapped

    def _completed(self, model: nn.Module, family: Family) -> dict[str, Any]:
        """The config with what follows from the model: a task's head trains whole beside the adapters.

        So does its pooler: a checkpoint without one gives a random one, which must be kept with the adapters.
        """
        # What a config's own to_dict writes as null is not chosen.
        given = {name: value for name, value in self.hyperparameters.peft.items() if value is not None}
        virtual, several = peft_config(given).is_prompt_learning, isinstance(model, Heads)
        kind = next((kind for ending, kind in HEADS.items() if type(model).__name__.endswith(ending)), "CAUSAL_LM")
        if virtual and (several or kind is None):
            what = "several heads are" if several else "a multiple-choice head is"
            fault = f"virtual tokens need a head that PEFT knows, and {what} none; choose adapters in layers"
            raise UserError(f"strategy '{self.name}': {fault}")
        if several:
            inside = {id(module) for module in linear(layers(model))}
            # Of "all-linear" PEFT leaves out the head of a PreTrainedModel, and Heads is none: here the stack's layers by name.
            names = [name for name, module in model.named_modules() if id(module) in inside]
            return {**given, "target_modules": names} if given.get("target_modules") == "all-linear" else given
        more: dict[str, Any] = {"task_type": kind}
        if kind == "QUESTION_ANS" and not virtual:
            # PeftModelForQuestionAnswering.forward takes token_type_ids and hands them on for prompts alone (peft 0.21).
            more["task_type"] = None
        if family == "encoder":
            chosen = given.pop("modules_to_save", [])
            more["modules_to_save"] = list(dict.fromkeys([*head_modules(model), *chosen]))
        return {**more, **given}

    def trained_state(self, model: nn.Module, read: Callable[[Tensor], Tensor] = full_tensor) -> dict[str, Tensor]:
        base: Any = getattr(model, "base_model")  # noqa: B009 (unknown to mypy on nn.Module)
        # Under virtual tokens the base model itself stands there, and not a tuner around it.
        if isinstance(getattr(base, "model", base), Heads):
            return super().trained_state(model, read)  # adapters and heads; of several heads PEFT knows none
        weights = adapter_weights(model)
        own = set(map(id, model.parameters()))
        return {name: read(weight) if id(weight) in own else weight for name, weight in weights.items()}

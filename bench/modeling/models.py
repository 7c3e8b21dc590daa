"""Models by name: pinned in a wheel, a local folder, or a hub id; decoder or encoder; loaded in fp32 or quantised.

Only safetensors are read, and no code from a model's repository is run unless the user says so.
"""

import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
)
from transformers import PreTrainedTokenizerBase as Tokenizer
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from bench.errors import UserError
from bench.modeling import eight_bit, fp32_product, model_files, model_folder_checks, model_hash
from bench.modeling.forward import read_in_one_piece
from bench.modeling.positions import positions
from bench.modeling.quantisation import quantisation, settle
from bench.modeling.structure import draw_head
from bench.specs.base import Capability, Family
from bench.specs.library import Library
from bench.specs.model import ModelSpec
from bench.specs.wording import Style

ABILITIES: dict[Family, frozenset[Capability]] = {
    "decoder": frozenset({"loglikelihoods", "losses", "generate", "embeddings"}),
    "encoder": frozenset({"losses", "head_logits", "embeddings"}),
}
DAY = "01 Jan 2025"
"""What stands in a prompt where the model's chat template writes the day on which it is asked: the base may be asked on another
than the trained model, and both are to read the same."""
OF_DAY = "strftime_now"
"""By which transformers tells templates the day."""
THINKS = "enable_thinking"
"""By which templates ask whether the model is to think before it answers."""
AS_SAVED = (AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM)
"""What is loaded as it was saved; every other class puts a new head on the backbone."""


@dataclass(frozen=True)
class Model:
    """A model and what it is. A hub model with a spec can be planned from its config: files come when they are needed."""

    name: str
    source: Path | ModelSpec
    """The folder of its files, or what the hub would give."""
    content_hash: str
    trust_remote_code: bool = False
    reference_precision: Literal["fp32", "bf16"] = "fp32"
    """Of the untouched model that gain and forgetting are held against."""
    reached: ClassVar[str] = "on this machine"
    """Where it is asked, as a sentence says it."""
    needs_device: ClassVar[Literal[True]] = True
    """Whether this machine computes what it answers, and has it in memory."""
    own_style: ClassVar[Style | None] = None
    """The one style in which it can be asked; None: in that of the strategy."""

    @property
    def checkpoint(self) -> "Model":
        """The weights and the tokenizer on this machine; None of a model that has none here."""
        return self

    @cached_property
    def folder(self) -> Path:
        """The files on this machine, fetched now if need be.

        Raises:
            UserError: the hub does not give them, or gives another model than the spec says.
        """
        return self.source if isinstance(self.source, Path) else model_files.fetched(self.source)

    @cached_property
    def at_hand(self) -> bool:
        """Whether the files are on this machine already."""
        return isinstance(self.source, Path) or model_files.cached(self.source)

    @property
    def origin(self) -> str:
        """Where its files are, or would come from."""
        if isinstance(self.source, Path):
            return str(self.source)
        return f"a plan of what the hub would give, {self.source.hub} at {str(self.source.revision)[:12]}"

    @cached_property
    def config(self) -> Any:
        if isinstance(self.source, ModelSpec):
            return AutoConfig.for_model(**self.source.config)
        model_folder_checks.check_config(self.folder, self.trust_remote_code)
        try:
            return AutoConfig.from_pretrained(self.folder, trust_remote_code=self.trust_remote_code)
        except Exception as error:  # whatever a config's class makes of a value of another kind
            raise self._undescribed(error) from error

    @cached_property
    def family(self) -> Family:
        """A decoder writes text; an encoder gets a task head.

        Raises:
            UserError: it is both, as BART and T5 are.
        """
        if getattr(self.config, "is_encoder_decoder", False):
            raise UserError(f"model '{self.name}' is an encoder with a decoder; name one that is either of the two")
        names = self.config.architectures or []
        causal = {n for v in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values() for n in ([v] if isinstance(v, str) else v)}
        return "decoder" if any(name in causal for name in names) else "encoder"

    @cached_property
    def positions(self) -> int | None:
        """How many tokens it can read at once; None where nothing bounds them."""
        return positions(self.bare_shape())

    def longest(self, max_length: int) -> int:
        """Tokens that a text may have, where it may have at most `max_length`."""
        return min(max_length, self.positions or max_length)

    @property
    def can(self) -> frozenset[Capability]:
        """What it can be asked."""
        return ABILITIES[self.family]

    def lacks(self, capability: Capability) -> str | None:
        """Why it cannot be asked for this, or None."""
        return None if capability in self.can else f"model '{self.name}' gives no {capability}"

    def unfit_for(self, task_type: str, asks: str, trains: bool) -> str | None:
        """Why it takes no task that `asks` so (as `TaskType.asks`), or no training on one, whatever its family; or None."""
        return None

    def check_access(self) -> None:
        """UserError where something that asking it takes is missing: here nothing, as files come when a run needs them."""

    def writes_at_most(self, longest: int) -> int:
        """Tokens of an answer, where a task allows it so many."""
        return longest

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """UserError where the folder has none that fits the model."""
        model_folder_checks.check_tokenizer(self.folder)
        try:
            tokenizer = AutoTokenizer.from_pretrained(self.folder, trust_remote_code=self.trust_remote_code)
        except Exception as error:  # of many kinds, over several lines
            reason = " ".join(str(error).split())[:300].rstrip(".")
            raise UserError(f"{self.folder}: its tokenizer cannot be loaded: {reason} ({type(error).__name__})") from error
        model_folder_checks.check_vocabulary(self.folder, tokenizer.get_vocab(), getattr(self.config, "vocab_size", None))
        model_folder_checks.check_tokenising(self.folder, tokenizer, self.family)
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token  # Llama and GPT-2 have none; padding is masked, so that any token does
        if OF_DAY in str(tokenizer.chat_template):
            # On a line of its own, which leaves nothing of itself in what is written.
            fixed = f"{{% macro {OF_DAY}(format) %}}{DAY}{{% endmacro %}}\n"
            tokenizer.chat_template = fixed + tokenizer.get_chat_template()
        return tokenizer

    @property
    def day(self) -> str | None:
        """The day that stands in its prompts; None where its chat template writes none."""
        decodes_here = self.family == "decoder" and self.at_hand
        return DAY if decodes_here and OF_DAY in str(self.tokenizer.chat_template) else None

    @property
    def thinking(self) -> str | None:
        """`off` where its chat template would have it think first, and is told not to; None where it knows of no thinking."""
        decodes_here = self.family == "decoder" and self.at_hand
        return "off" if decodes_here and THINKS in str(self.tokenizer.chat_template) else None

    @cached_property
    def other_ends(self) -> list[int]:
        """Tokens beside the tokenizer's own with which a text that it writes ends, such as the end of a turn in a chat."""
        if self.family == "encoder" or not self.at_hand:
            return []
        try:
            named = GenerationConfig.from_pretrained(self.folder).eos_token_id
        except OSError:  # most older checkpoints have no such file, and its place is the config
            named = getattr(self.config, "eos_token_id", None)
        return sorted({*(named if isinstance(named, list) else [named])} - {None, self.tokenizer.eos_token_id})

    @property
    def conventions(self) -> dict[str, Any]:
        """With which other tokens its texts end, which day its prompts hold, and whether it is kept from thinking, where they
        do: answers hang on all three."""
        made = {"ends": self.other_ends, "day": self.day, "thinking": self.thinking}
        return {name: value for name, value in made.items() if value}

    def inputs(self, precision: str, max_length: int) -> dict[str, Any]:
        """What a run's result hangs on: which model it is, and how it computes, as the run has it."""
        question: dict[str, Any] = {"model": self.content_hash, "precision": precision, "max_length": max_length}
        if self.reference_precision != "fp32":
            question["reference_precision"] = self.reference_precision
        # A hub's commit says these too, and is known before the files are here, in which they stand.
        if isinstance(self.source, Path):
            question |= self.conventions
        if self.trust_remote_code:
            question["trust_remote_code"] = True
        return question

    @property
    def reference_bits(self) -> int:
        """Of a weight of the untouched model."""
        return 32 if self.reference_precision == "fp32" else 16

    def load(
        self, auto_class: Any = AutoModelForCausalLM, bits: int = 32, device: torch.device | None = None, **head: Any
    ) -> PreTrainedModel:
        """A fresh copy of the weights: fp32, bf16 (16 bits), or a bitsandbytes base in 8 or 4 bit.

        `head` goes to the config (num_labels); a new head takes its values from torch's global generator.

        Raises:
            UserError: the files lack weights besides those of a new head.
        """
        loaded: PreTrainedModel
        extra: dict[str, Any] = {"ignore_mismatched_sizes": True} if head else {}  # a head of another width is a new head
        if bits == 8:
            eight_bit.hasten()
        if bits < 16:
            extra["quantization_config"] = quantisation(self.shape(auto_class, **head), bits)
            extra["device_map"] = {"": device or torch.device("cpu")}
        loaded, loading_info = auto_class.from_pretrained(
            self.folder,
            output_loading_info=True,
            # Since transformers 5 the checkpoint's own is the default (huggingface/transformers#34919).
            dtype=torch.bfloat16 if bits == 16 else torch.float32,
            use_safetensors=True,
            trust_remote_code=self.trust_remote_code,
            **extra,
            **head,
        )
        model_folder_checks.check_loaded(self.folder, loaded, loading_info, auto_class not in AS_SAVED)
        if auto_class not in AS_SAVED:
            draw_head(loaded, loading_info)
        if bits < 16:
            settle(loaded)
        read_in_one_piece(loaded)
        fp32_product.multiply_fast(loaded)
        if loaded.can_generate():
            # What a checkpoint recommends (a penalty on repetition, say) would silently change what is written. With which
            # tokens its texts and turns end is no such advice.
            loaded.generation_config = GenerationConfig(eos_token_id=loaded.generation_config.eos_token_id)
        return loaded

    def shape(self, auto_class: Any, **head: Any) -> PreTrainedModel:
        """The model without weights, on the meta device; `head` goes to the config as in `load`."""
        config = copy.deepcopy(self.config)  # the property keeps one object for all
        config.update(head)
        with torch.device("meta"):
            shape: PreTrainedModel = auto_class.from_config(config, trust_remote_code=self.trust_remote_code)
        return shape

    def bare_shape(self) -> PreTrainedModel:
        """Without a head that a task would put on it."""
        return self.shape(AutoModelForCausalLM if self.family == "decoder" else AutoModel)

    def checked(self) -> "Model":
        """The same, once its files are known to hold what its config describes.

        Raises:
            UserError: they do not; the sentence names the file.
        """
        try:
            shape = self.bare_shape()
        except Exception as error:
            raise self._undescribed(error) from error
        model_folder_checks.check_weights(self.folder, shape)
        _ = self.tokenizer
        return self

    def _undescribed(self, error: Exception) -> UserError:
        why = " ".join(str(error).split())[:300].rstrip(".")
        return UserError(f"{self.folder / 'config.json'} describes no model that can be built: {why} ({type(error).__name__})")


def find_model(name: str, library: Library, trust_remote_code: bool = False) -> Model:
    """The model of that name, fetched or converted into the cache if need be.

    Raises:
        UserError: there is no such model, or the hub cannot be reached.
    """
    if spec := library.model(name):
        source = spec if spec.hub else model_files.prepared(spec)
        return Model(spec.name, source, model_files.pinned_hash(spec), reference_precision=spec.reference_precision)
    folder = Path(name)
    if not folder.is_dir():
        folder = model_files.from_hub(name, library.models(), trust_remote_code)
    elif not (folder / "config.json").is_file():
        raise UserError(f"model folder '{name}' has no config.json; save the model there with save_pretrained")
    model_files.check_safetensors(name, folder)
    name = folder.resolve().name if Path(name).is_dir() else name
    return Model(name, folder, model_hash.content_hash(folder), trust_remote_code).checked()

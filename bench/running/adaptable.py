"""Which hyper-parameters do not fit a model, found before anything runs: each strategy adapts the model's shape."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import torch
from torch import nn
from transformers import AutoModelForCausalLM

from bench.errors import UserError
from bench.modeling.heads import Heads
from bench.modeling.models import Model
from bench.running.run import Run
from bench.strategies import with_values
from bench.tasks import types

NOT_ON_META = ("meta tensor", "meta device")
"""What PyTorch says where a strategy computes with weights that a shape does not have: nothing is known of it then."""


def check_adaptable(runs: Iterable[Run]) -> None:
    """Have the strategies adapt models without weights, on the meta device.

    Raises:
        UserError: one of them cannot, with what it says; nothing has started by then.
    """
    seen = set()
    for run in (each for planned in runs for each in _with_ends(planned)):
        if run.unfit or not run.strategy.trains or not isinstance(run.model, Model):
            continue
        kinds = [types.task_type(task) for task in run.training_tasks] if run.model.family == "encoder" else []
        heads = tuple((kind.spec.type, kind.outputs()) for kind in kinds)  # some types have none: a decoder's
        key = (run.model.content_hash, run.strategy.name, run.strategy.hyperparameters.model_dump_json(), heads)
        if key not in seen:
            seen.add(key)
            _check(run)


def _with_ends(run: Run) -> Iterator[Run]:
    """The run, and what it would be at both ends of each range that is searched for it."""
    yield run
    for name, dimension in (run.search.space if run.search else {}).items():
        for end in dimension.ends:
            yield replace(run, strategy=with_values(run.strategy, {name: end}))


def _check(run: Run) -> None:
    try:
        with torch.device("meta"):
            adapted = run.strategy.adapt(_shape(run), run.model.family)
    except UserError:
        raise
    except Exception as error:
        told = " ".join(str(error).split())[:300].rstrip(".")
        if any(words in told.lower() for words in NOT_ON_META):
            return
        raise UserError(f"strategy '{run.strategy.name}' does not fit model '{run.model.name}': {told}") from error
    if not any(parameter.requires_grad for parameter in adapted.parameters()):
        raise UserError(f"strategy '{run.strategy.name}' leaves nothing to train of model '{run.model.name}'")


def _shape(run: Run) -> nn.Module:
    """What a strategy is given to adapt, without weights."""
    if run.model.family == "decoder":
        shapes = [run.checkpoint.shape(AutoModelForCausalLM)]
    else:
        kinds = [types.task_type(task) for task in run.training_tasks]
        shapes = [run.checkpoint.shape(kind.auto_class, num_labels=kind.outputs()) for kind in kinds]
    for shape in shapes:
        shape.is_loaded_in_8bit = run.strategy.bits < 32  # as a quantised base says of itself to PEFT
    return Heads(shapes) if len(shapes) > 1 else shapes[0]

"""Which hyper-parameters do not fit a model, found before anything runs: each strategy adapts the model's shape."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from torch import nn

from bench.errors import UserError
from bench.modeling.forward import prompt_learning
from bench.modeling.heads import Heads
from bench.modeling.positions import positions
from bench.running import sizes
from bench.runs.run import Run
from bench.strategies import with_values
from bench.tasks import types

NOT_ON_META = ("meta tensor", "meta device")
"""What PyTorch says where a strategy computes with weights that a shape does not have: nothing is known of it then."""


def check_shapes(runs: Iterable[Run], room: int | None = None) -> None:
    """Have the strategies adapt models without weights, on the meta device.

    Args:
        room: bytes that there are for weights, gradients and moments; None where the plan is not for this machine.

    Raises:
        UserError: one of them cannot, with what it says, or needs more room; nothing has started by then.
    """
    checked = set()
    for run in (each for planned in runs for each in with_ends(planned)):
        if run.unfit or not run.strategy.trains:
            continue
        kinds = [types.task_type(task) for task in run.training_tasks] if run.model.family == "encoder" else []
        heads = tuple((kind.spec.type, kind.outputs()) for kind in kinds)  # some types have none: a decoder's
        # Neither seed nor budget enters a shape, so that one run of each key stands for the others.
        key = (run.model.content_hash, run.strategy.name, run.strategy.hyperparameters.model_dump_json(), run.max_length, heads)
        if key not in checked:
            checked.add(key)
            _check_adaptable(run, room)


def with_ends(run: Run) -> Iterator[Run]:
    """The run, and what it would be at both ends of each range that is searched for it."""
    yield run
    for name, dimension in (run.search.space if run.search else {}).items():
        for end in dimension.ends:
            yield replace(run, strategy=with_values(run.strategy, {name: end}))


def _check_adaptable(run: Run, room: int | None) -> None:
    try:
        adapted = sizes.adapted_shape(_shape(run), run.strategy, run.model.family)
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300].rstrip(".")
        if any(words in reason.lower() for words in NOT_ON_META):
            return
        raise UserError(f"strategy '{run.strategy.name}' does not fit model '{run.model.name}': {reason}") from error
    if not any(parameter.requires_grad for parameter in adapted.parameters()):
        raise UserError(f"strategy '{run.strategy.name}' leaves nothing to train of model '{run.model.name}'")
    _check_length(run, adapted)
    _check_room(run, adapted, room)


def _check_length(run: Run, adapted: nn.Module) -> None:
    """Virtual tokens stand before each text. A shorter text for this row alone would be another question than the others'."""
    most = positions(adapted)
    if most is None or not prompt_learning(adapted):
        return
    config: Any = adapted.active_peft_config
    if min(run.max_length, most) > (left := most - config.num_virtual_tokens):
        raise UserError(
            f"strategy '{run.strategy.name}': peft.num_virtual_tokens={config.num_virtual_tokens} leaves a text {left:,} of "
            f"the {most:,} positions of model '{run.model.name}'; set max_length to at most {left:,} in suite '{run.suite}', "
            "or give fewer virtual tokens"
        )


def _check_room(run: Run, adapted: nn.Module, room: int | None) -> None:
    """By no more than what must be there: weights as loaded, and for what trains a gradient and AdamW's two moments in fp32."""
    trainable, total = sizes.parameters(adapted)
    needed = total * run.strategy.bits // 8 + 12 * trainable
    if room is not None and needed > room:
        raise UserError(
            f"strategy '{run.strategy.name}' would train {trainable:,} weights of model '{run.model.name}', which takes at "
            f"least {needed / 1e9:,.0f} GB with the others, and there are {room / 1e9:,.0f} GB; make what it trains smaller, "
            "such as peft.r, or take a larger machine"
        )


def _shape(run: Run) -> nn.Module:
    """What a strategy is given to adapt, without weights: an encoder with a head for each task that it is trained on."""
    tasks = run.training_tasks if run.model.family == "encoder" else [run.task]
    shapes = [sizes.task_shape(run.checkpoint, task) for task in tasks]
    return Heads(shapes) if len(shapes) > 1 else shapes[0]

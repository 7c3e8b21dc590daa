"""What a run trains on: the encoded examples of each step, from the task and from what the strategy mixes in."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench import data, sources, tasktypes
from bench.batches import mixture, order
from bench.encoding import Encoded, Encoding
from bench.plan import Run
from bench.specs import TaskSpec


@dataclass(frozen=True)
class Curriculum:
    steps: list[list[Encoded]]
    outputs: int
    """Width of an encoder's head over all tasks; 0 for decoders."""


def build(run: Run, encoding: Encoding) -> Curriculum:
    """The whole budget, encoded. The k-th example of the suite's task is the same for all strategies at one seed."""
    decoder = encoding.model.family == "decoder"
    streams: list[Iterator[Encoded]] = []
    shares: list[float] = []
    offset = 0
    for task, share in ((run.task, 0.0), *run.others):
        streams.append(_task_stream(run, encoding, task, offset))
        shares.append(share)
        offset += tasktypes.load(task).outputs()
    if run.strategy.rehearsal and decoder:
        source, share = run.strategy.rehearsal
        texts = [str(row["text"]) for row in sources.rows(source)]
        streams.append(encoding.text(texts[index]) for index in order(run.seed, len(texts)))
        shares.append(share)
    shares[0] = 1.0 - sum(shares)
    drawn = [next(streams[component]) for component in mixture(run.seed, shares, run.budget.examples)]
    steps = [drawn[start : start + run.batch] for start in range(0, len(drawn), run.batch)]
    return Curriculum(steps, 0 if decoder else offset)


def _task_stream(run: Run, encoding: Encoding, task: TaskSpec, head: int) -> Iterator[Encoded]:
    kind, examples, wording = tasktypes.load(task), data.load(task).train, run.strategy.wording
    for position, index in enumerate(order(run.seed, len(examples))):
        if encoding.model.family == "decoder":
            yield encoding.for_decoder(kind, examples[index], wording, position)
        else:
            yield encoding.for_encoder(kind, examples[index], wording, "train", position, head)

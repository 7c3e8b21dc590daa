"""Questions asked without a text: how likely the model finds the first of the accepted answers, and whether it would write one:
right when its greedy continuation is one of them.

No text is generated: an answer is the greedy continuation when each of its tokens is the likeliest, and so is an end after it:
the EOS token, or one that begins with a new line, a full stop or a comma (where lm-evaluation-harness cuts TriviaQA's
answers). Answers are compared as they are written; their spelling variants are the source's to list.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bench.inference.backend import Backend, Continuation, Likelihood
from bench.probes.base import Probe
from bench.specs.probe import ProbeSpec

ENDS = ("\n", ".", ",")


class ClosedBook(Probe):
    family = "decoder"
    uses = "loglikelihoods"
    value = "log-likelihood of the first answer (nats)"
    higher_is_better = True
    share = False
    discordance = 0.15
    needs = frozenset({"question", "answers"})
    lists = frozenset({"answers"})

    @classmethod
    def fault(cls, row: Mapping[str, Any], spec: ProbeSpec) -> str | None:
        answers = row["answers"]
        given = isinstance(answers, list) and any(str(answer).strip() for answer in answers)
        return None if given else "field 'answers' must be a list of accepted answers"

    def measure(self, backend: Backend) -> pd.DataFrame:
        """`value` is the log-likelihood of the first accepted answer, without an end after it; `right` whether the greedy
        continuation is one of them.
        """
        entries = [(number, answer, request) for number, row in enumerate(self.rows) for answer, request in self._answers(row)]
        # One pass over the question tells which answers can be greedy at all: few are worth a second look.
        firsts = backend.loglikelihoods([(context, answer[:1]) for _, _, (context, answer) in entries])
        # The first answer of each question is put in last, and so it stays.
        main = {number: request for number, _, request in reversed(entries)}
        # The end is left out, since a text may go on after an answer in several ways.
        listed_first = [(context, ids[:-1]) for _, (context, ids) in sorted(main.items())]
        nats = [answer.total for answer in backend.loglikelihoods(listed_first)]
        entries = [entry for entry, first in zip(entries, firsts, strict=True) if first.greedy]
        whole = backend.loglikelihoods([request for _, _, request in entries])
        written = {
            number: answer for (number, answer, (_, ids)), f in zip(entries, whole, strict=True) if self._written(ids, f)
        }
        gold = [_accepted_answers(row)[0] for row in self.rows]
        numbers = range(len(self.rows))
        right = [float(number in written) for number in numbers]
        return self.frame(nats, gold=gold, prediction=[written.get(number, "") for number in numbers]).assign(right=right)

    def _answers(self, row: Mapping[str, Any]) -> list[tuple[str, Continuation]]:
        """Each accepted answer, with EOS in the place of its end."""
        answers = _accepted_answers(row)
        requests = self.requests([(row["question"], f" {answer}") for answer in answers])
        eos = (self.encoding.model.tokenizer.eos_token_id,)
        return [(answer, (context, ids + eos)) for answer, (context, ids) in zip(answers, requests, strict=True)]

    def _written(self, ids: tuple[int, ...], likelihood: Likelihood) -> bool:
        """Whether the model would write the ids before the last, and then an end."""
        tokenizer, last = self.encoding.model.tokenizer, likelihood.likeliest[-1]
        ends = last == tokenizer.eos_token_id or str(tokenizer.decode([last])).startswith(ENDS)
        return ends and likelihood.likeliest[:-1] == ids[:-1]


def _accepted_answers(row: Mapping[str, Any]) -> list[str]:
    """The answers that say something, each once."""
    return list(dict.fromkeys(text for answer in row["answers"] if (text := str(answer).strip())))

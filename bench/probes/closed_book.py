"""Questions asked without a text: right when the model's greedy continuation is one of the accepted answers.

No text is generated: an answer is the greedy continuation when each of its tokens, and the end after it, is the likeliest.
An end is a new line, a full stop, a comma (where lm-evaluation-harness cuts TriviaQA's answers) or the EOS token. Answers are
compared as they are written; their spelling variants are the source's to list.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from torch import nn

from bench.inference.likelihood import Request
from bench.probes.base import Probe
from bench.specs.probe import ProbeSpec

ENDS = ("\n", ".", ",", "")
"""The last stands for EOS."""


class ClosedBook(Probe):
    family = "decoder"
    value = "accuracy"
    higher_is_better = True
    share = True
    needs = frozenset({"question", "answers"})

    @classmethod
    def fault(cls, row: Mapping[str, Any], spec: ProbeSpec) -> str | None:
        answers = row["answers"]
        return None if isinstance(answers, list) and any(answers) else "field 'answers' must be a list of accepted answers"

    def measure(self, model: nn.Module) -> pd.DataFrame:
        asked = [(number, answer, request) for number, row in enumerate(self.rows) for answer, request in self._asked(row)]
        # One pass over the question tells which answers can be greedy at all: few are worth a second look.
        firsts = self.likelihoods(model, [(context, answer[:1]) for _, _, (context, answer) in asked])
        asked = [entry for entry, first in zip(asked, firsts, strict=True) if first.greedy]
        whole = self.likelihoods(model, [request for _, _, request in asked])
        matched = {number: answer for (number, answer, _), found in zip(asked, whole, strict=True) if found.greedy}
        gold = [row["answers"][0] for row in self.rows]
        said = [matched.get(number, "") for number in range(len(self.rows))]
        return self.frame([float(number in matched) for number in range(len(self.rows))], gold=gold, prediction=said)

    def _asked(self, row: Mapping[str, Any]) -> list[tuple[str, Request]]:
        """Each accepted answer with each of its ends."""
        answers = dict.fromkeys(text for answer in row["answers"] if (text := str(answer).strip()))
        spoken = [(answer, end) for answer in answers for end in ENDS]
        requests = self.requests([(row["question"], f" {answer}{end}") for answer, end in spoken])
        eos = (self.encoding.model.tokenizer.eos_token_id,)
        return [
            (answer, (context, ids if end else ids + eos))
            for (answer, end), (context, ids) in zip(spoken, requests, strict=True)
        ]

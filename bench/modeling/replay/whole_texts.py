"""What a forward pass asks of a model's backbone, where it asks it to read whole texts and nothing else."""

import hashlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from bench.specs.base import Family

TEXT_ARGUMENTS = {"input_ids", "attention_mask", "position_ids", "token_type_ids", "use_cache", "return_dict"}
"""Arguments that whole texts are told by; any other that says something makes it a pass of another kind."""

Text = tuple[tuple[int, ...], tuple[int, ...]]
"""Token ids and token types; no types where the pass gives none."""


def text_hash(text: Text) -> bytes:
    ids, types = (array("q", part).tobytes() for part in text)
    # The length in front says where ids end and types begin: else two texts could make the same bytes.
    return hashlib.blake2b(len(ids).to_bytes(8, "big") + ids + types, digest_size=16).digest()


@dataclass(frozen=True)
class WholeTexts:
    """Texts, each a stretch of real tokens in a row of padding."""

    texts: list[Text]
    starts: list[int]
    """The column of each text's first token."""
    width: int
    placed: bool
    """Whether the pass numbers the places of a text's tokens."""
    family: Family
    device: torch.device

    @classmethod
    def of(cls, inputs: Mapping[str, Any], family: Family, numbers: bool) -> "WholeTexts | None":
        """None where the pass has anything more to it than texts whose states hang on their own tokens alone.

        Args:
            numbers: whether the model takes numbers of places; one that does counts padding too, unless it is told.
        """
        given = {name: value for name, value in inputs.items() if value is not None and value is not False}
        ids, mask, positions = (given.get(name) for name in ("input_ids", "attention_mask", "position_ids"))
        if not set(given) <= TEXT_ARGUMENTS or given.get("use_cache") or ids is None or mask is None:
            return None
        # A decoder that is not told to keep no keys and values keeps them.
        if ids.ndim != 2 or mask.shape != ids.shape or (family == "decoder" and inputs.get("use_cache") is not False):
            return None
        lengths, starts = mask.sum(1).tolist(), mask.argmax(1).tolist()
        columns = torch.arange(ids.shape[1], device=mask.device)
        begin, end = (torch.tensor(each, device=mask.device)[:, None] for each in (starts, _sums(starts, lengths)))
        if not torch.equal(mask.bool(), (begin <= columns) & (columns < end)) or 0 in lengths:
            return None
        if family == "encoder":  # which counts from the first column
            counted = positions is None and not any(starts)
        elif positions is None:
            counted = not numbers
        else:
            counted = torch.equal(positions, (mask.cumsum(1) - 1).clamp(min=0))
        if not counted:
            return None
        types = given.get("token_type_ids")
        rows = zip(ids.tolist(), [[]] * len(starts) if types is None else types.tolist(), starts, lengths, strict=True)
        texts = [(tuple(row[s : s + n]), tuple(kinds[s : s + n])) for row, kinds, s, n in rows]
        return cls(texts, starts, ids.shape[1], positions is not None, family, ids.device)

    def alone(self, texts: Sequence[Text], width: int) -> dict[str, Any]:
        """The same pass over some of the texts, each at the beginning of a row of so many columns."""
        ids = self._rows([text[0] for text in texts], width)
        inputs: dict[str, Any] = {"input_ids": ids, "attention_mask": self._rows([[1] * len(text[0]) for text in texts], width)}
        if texts[0][1]:
            inputs["token_type_ids"] = self._rows([text[1] for text in texts], width)
        if self.placed:
            inputs["position_ids"] = torch.arange(ids.shape[1], device=self.device).expand_as(ids)
        return inputs | ({"use_cache": False} if self.family == "decoder" else {})

    def _rows(self, rows: Sequence[Sequence[int]], width: int) -> Tensor:
        """(rows, width), with zeros behind each."""
        return torch.tensor([[*row, *[0] * (width - len(row))] for row in rows], device=self.device)

    def padded(self, states: Sequence[Tensor]) -> Tensor:
        """(texts, width, hidden): each text's states in its columns, and zeros beside them, which nothing attends to."""
        rows = torch.zeros(len(states), self.width, states[0].shape[1], dtype=states[0].dtype)
        for row, start, values in zip(rows, self.starts, states, strict=True):
            row[start : start + len(values)] = values
        return rows.to(self.device)


def _sums(first: Sequence[int], second: Sequence[int]) -> list[int]:
    return [a + b for a, b in zip(first, second, strict=True)]

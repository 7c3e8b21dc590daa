"""What a run may spend. One unit for now: training examples seen, repeats counted."""

import re
from dataclasses import dataclass

from bench.errors import UserError


@dataclass(frozen=True)
class Budget:
    examples: int

    @classmethod
    def parse(cls, text: str) -> "Budget":
        """`512examples` or `512`.

        Raises:
            UserError: not a positive number of examples.
        """
        match = re.fullmatch(r"\s*(\d[\d_,]*)\s*(examples)?\s*", text)
        if not match:
            raise UserError(f"budget '{text}' is not understood; write a number of training examples, e.g. 512examples")
        amount = int(re.sub("[_,]", "", match.group(1)))
        if amount < 1:
            raise UserError(f"budget '{text}' would train nothing; give at least 1example, or run zero-shot alone")
        return cls(amount)

    def __str__(self) -> str:
        return f"{self.examples}examples"

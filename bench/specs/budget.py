"""What a run may spend in training: one limit or several, of which the first that is reached ends it."""

import re
from dataclasses import dataclass, fields
from decimal import Decimal
from fractions import Fraction

from bench.errors import UserError

PREFIXES = {"": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15}
"""Powers of ten."""
SYMBOLS = {"examples": "examples", "steps": "steps", "tokens": "tokens", "flops": "FLOP", "seconds": "s", "memory": "B"}
"""How each limit is written."""
MOST_OF_EACH = {"examples": 10**18, "steps": 10**18, "tokens": 10**18, "flops": 10**27, "seconds": 10**9, "memory": 10**18}
"""Of each limit; the largest trainings that are known took 10^26 FLOPs, and 10^9 seconds are 32 years."""
_NUMBER = r"\d{1,3}(?:,\d{3})+|\d[\d_]*(?:\.\d+)?|\.\d+"
# A plural s may follow example, token, step and FLOP, which end in e, n and p: `90ss` is no budget.
_LIMIT = re.compile(rf"({_NUMBER})\s*([kMGTP]?)(example|step|token|FLOP|s|B)?(?:(?<=[enp])s)?", re.IGNORECASE)
_NAMES = {"example": "examples", "step": "steps", "token": "tokens", "flop": "flops", "s": "seconds", "b": "memory"}


@dataclass(frozen=True)
class Budget:
    """Limits of one stage's training, None where there is none."""

    examples: int | None = None
    """Repeats counted."""
    steps: int | None = None
    tokens: int | None = None
    """Fed to the model, padding left out."""
    flops: int | None = None
    """Useful ones: of each text alone, without padding and recomputation."""
    seconds: float | None = None
    """Of the training loop alone."""
    memory: int | None = None
    """Bytes on each device: a ceiling, which ends nothing."""

    @classmethod
    def parse(cls, text: str) -> "Budget":
        """`512examples` or `512`, `200steps`, `80ktokens`, `3TFLOP`, `90s`, `4GB`, or several: `2000examples,90s`.

        Raises:
            UserError: it is none of these, names a limit twice, or is less than one.
        """
        limits: dict[str, int | float] = {}
        # A comma after a digit parts thousands, as in 2,000examples.
        parts = re.split(r"(?<=[A-Za-z])\s*,", text)
        for part in parts:
            limit, amount = _parsed_limit(part, text, alone=len(parts) == 1)
            if limit in limits:
                raise UserError(f"budget '{text}' gives two limits in {limit}; give one of each unit")
            limits[limit] = amount
        return cls(**limits)  # type: ignore[arg-type]

    @property
    def limits(self) -> dict[str, int | float]:
        """Those that there are, by name."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}

    @property
    def ends(self) -> bool:
        """Whether anything in it ends a training: a memory ceiling alone does not."""
        return bool(set(self.limits) - {"memory"})

    def share(self, share: float) -> "Budget":
        """So much of each limit: counts rounded, and at least one; the memory ceiling stays.

        Args:
            share: in (0, 1].
        """
        counts = ("examples", "steps", "tokens", "flops")
        parts = {limit: max(1, round(amount * Fraction(share))) for limit, amount in self.limits.items() if limit in counts}
        # Nine digits, as a person writes them: 63 s and not 62.99999999999999.
        seconds = None if self.seconds is None else min(self.seconds, float(f"{self.seconds * share:.9g}"))
        return Budget(**parts, seconds=seconds, memory=self.memory)

    def __str__(self) -> str:
        """One text for one budget, however it was written: `80ktokens` also for 0.08Mtokens."""
        return ",".join(_limit_text(limit, amount) for limit, amount in self.limits.items())


def _parsed_limit(part: str, text: str, alone: bool) -> tuple[str, int | float]:
    match = _LIMIT.fullmatch(part.strip())
    # The m of `5ms` would be a mega, and five milliseconds five million seconds.
    # A bare number counts examples, where nothing stands beside it.
    if not match or (not match[3] and (match[2] or not alone)) or (match[3] in ("s", "S") and match[2]):
        raise UserError(
            f"budget '{text}' is not understood; write one or several of 512examples, 200steps, 80ktokens, 3TFLOP, 90s and "
            "4GB, such as 2000examples,90s"
        )
    limit = _NAMES[(match[3] or "example").lower()]
    power = next(power for prefix, power in PREFIXES.items() if prefix.lower() == match[2].lower())
    # Not by float, to which 8.2 million is 8,199,999.999999999.
    amount = Decimal(re.sub("[_,]", "", match[1])).scaleb(power)
    if not amount or (limit != "seconds" and amount < 1):
        raise UserError(f"budget '{text}' would train nothing; give at least 1example, or run zero-shot alone")
    if amount > MOST_OF_EACH[limit]:
        raise UserError(
            f"budget '{text:.60}' is more than any training spends; give at most {_limit_text(limit, MOST_OF_EACH[limit])}"
        )
    if limit == "seconds":
        return limit, float(amount)
    if amount != int(amount):
        raise UserError(f"budget '{text}': {amount:f} {limit} is no whole number; round it")
    return limit, int(amount)


def _limit_text(limit: str, amount: int | float) -> str:
    """Counts of examples and steps in full, else the largest prefix that leaves a whole number."""
    if limit == "seconds":
        return f"{Decimal(repr(amount)).normalize():f}s"
    prefixed = PREFIXES if limit in ("tokens", "flops", "memory") else {"": 0}
    prefix, power = next((prefix, power) for prefix, power in reversed(prefixed.items()) if amount % 10**power == 0)
    return f"{amount // 10**power}{prefix}{SYMBOLS[limit]}"

"""How the numbers of a run's base model are rounded: as its user has them, and as training has them."""

from dataclasses import dataclass

from bench.devices.device import Device
from bench.runs.run import Run


@dataclass(frozen=True)
class Rounding:
    """How a base's numbers are rounded: the bits of a weight, and whether the forward pass is cast to bf16."""

    bits: int
    cast: bool

    @classmethod
    def of_reference(cls, run: Run) -> "Rounding":
        """Of the model that the user had before: in its reference precision."""
        return cls(run.model.reference_bits, cast=False)

    @classmethod
    def in_training(cls, run: Run, device: Device) -> "Rounding":
        """Of the model that is trained, before its first step."""
        return cls(run.strategy.bits, cast=device.precision != "fp32")

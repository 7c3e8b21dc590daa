"""Reference row: k solved examples in the prompt; for an encoder, the label with the nearest mean (Snell et al. 2017)."""

from pydantic import Field

from bench.specs.wording import Wording
from bench.strategies.base import Strategy, Untrained


class FewShotHyperparameters(Untrained):
    shots: int = Field(default=4, ge=1)


class FewShot(Strategy):
    Hyperparameters = FewShotHyperparameters
    hyperparameters: FewShotHyperparameters
    trains = False

    @property
    def wording(self) -> Wording:
        return Wording(shots=self.hyperparameters.shots)

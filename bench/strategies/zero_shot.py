"""Reference row: the base model as it is. A decoder ranks the answers; an encoder takes the nearest label description."""

from bench.strategies.base import Strategy, Untrained


class ZeroShot(Strategy):
    Hyperparameters = Untrained
    trains = False

"""The strategies of suites/strategies/ that train."""

from pathlib import Path

from bench.specs.library import Library
from bench.strategies import load_strategy

ROOT = Path(__file__).parents[1]
_NAMES = sorted(path.stem for path in ROOT.glob("suites/strategies/*.yaml"))
TRAINED = [name for name in _NAMES if load_strategy(Library().strategy(name), "decoder", {}).trains]

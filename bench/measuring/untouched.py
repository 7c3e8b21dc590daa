"""The untouched base model of a run, put together of its parts: who loads it, who asks it, and what is kept of it."""

from bench.measuring.asked_base import AskedBase
from bench.measuring.base_self_tests import base_self_tests
from bench.measuring.evaluation import Session
from bench.measuring.kept_base import KeptBase
from bench.measuring.loaded_base import LoadedBase


class Untouched:
    """The base model of a session: `loaded` for what needs the model itself, `asked` for what it answers."""

    def __init__(self, session: Session) -> None:
        self.loaded, self._probes = LoadedBase(session), session.probes
        self._kept = KeptBase(session.run, session.device, session.progress)
        self.asked = AskedBase(session, self.loaded, self._kept)

    def self_tests(self) -> dict[str, bool]:
        """Self-test of each of the run's probes -> whether it holds."""
        return base_self_tests(self._probes, self.loaded, self._kept)

"""The untouched base model in memory, in the rounding in which it is asked for."""

from torch import nn
from transformers import AutoModel, AutoModelForCausalLM

from bench.inference.backend import Backend
from bench.inference.endpoint_backend import EndpointBackend
from bench.measuring.evaluation import TrainingSession
from bench.measuring.rounding import Rounding
from bench.modeling.forward import unlaunched
from bench.modeling.sharding import placed, release, to_load


class LoadedBase:
    """The base model of a session, loaded when the first thing has to be measured: not at all when all is in the cache."""

    def __init__(self, session: TrainingSession) -> None:
        self.session = session
        self._rounding: Rounding | None = None
        self._backend: Backend | None = None

    def backend(self, rounding: Rounding | None = None) -> Backend:
        """The base, in its reference precision where nothing else is said; one at a time is in memory."""
        rounding = rounding or Rounding.of_reference(self.session.run)
        if self._backend is None or self._rounding != rounding:
            self._backend, self._rounding = self._rounded(rounding), rounding
        return self._backend

    def _rounded(self, rounding: Rounding) -> Backend:
        # To cast is part of asking, and leaves the weights as they are. No name here holds the module while another is loaded.
        if self._rounding and self._rounding.bits == rounding.bits and self._backend and self._backend.module is not None:
            return self.session.backend(self._backend.module, rounding.cast)
        self.forget()
        return self._loaded(rounding)

    def module(self) -> nn.Module | None:
        """The base's own module in its reference precision, for what looks inside: self-tests, sizes. None where the base is
        asked through a backend that holds no module."""
        module = self.backend().module
        return None if module is None else unlaunched(module)

    def forget(self) -> None:
        """Free the memory; the next one that asks loads anew."""
        self._backend = None
        release(self.session.device.accelerator)

    def _loaded(self, rounding: Rounding) -> Backend:
        run, device = self.session.run, self.session.device
        if run.model.checkpoint is None:
            return EndpointBackend(run.model.endpoint, device, self.session.progress.say)
        self.session.progress.phase("base model")
        auto = AutoModelForCausalLM if run.model.family == "decoder" else AutoModel
        source = to_load(run.model.checkpoint, rounding.bits, device.accelerator)
        module: nn.Module = source.load(auto, rounding.bits, device.torch)
        # Accelerate widens all that could be trained to fp32 where FSDP2 computes in bf16, and would ask another base.
        module.requires_grad_(False)
        return self.session.backend(placed(module.eval(), device.accelerator), rounding.cast)

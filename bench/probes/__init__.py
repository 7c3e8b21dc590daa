"""What the base model could do before: probe kinds, one file each; their data is named in suites/probes/."""

from bench import plugins
from bench.probes.base import Probe
from bench.specs.probe import ProbeSpec

__all__ = ["Probe", "probe_class"]


def probe_class(spec: ProbeSpec) -> type[Probe]:
    """The class of the probe's kind.

    Raises:
        UserError: there is no such kind, or the spec lacks what it needs.
    """
    import bench.probes as package

    kind = plugins.load_class(package, spec.kind, Probe, "probe kind")  # type: ignore[type-abstract]
    kind.accept(spec)
    return kind

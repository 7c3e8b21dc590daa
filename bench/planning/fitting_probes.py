"""Which probes of a suite a model is asked, with how many items of each, and why others are left out."""

from collections.abc import Sequence

from bench.planning.options import PlanOptions
from bench.planning.probe_items import items_by_power
from bench.probes import Probe
from bench.runs.run import PlannedModel
from bench.specs.probe import ProbeSpec
from bench.specs.probe_power import probe_power
from bench.specs.suite import SuiteSpec


def fitting_probes(
    suite: SuiteSpec, options: PlanOptions, kinds: Sequence[tuple[ProbeSpec, type[Probe]]], model: PlannedModel
) -> tuple[tuple[tuple[ProbeSpec, int], ...], tuple[str, ...]]:
    """The probes that fit the model with their size limits, and a sentence on each that is meant for its family and doesn't.

    Args:
        kinds: the suite's probes, each with the class of its kind.
    """
    limit = (suite.encoder_probe_items if model.family == "encoder" else None) or suite.probe_items
    fitting, left_out = [], []
    for spec, kind in kinds:
        # A suite lists probes of both families, so that there is nothing to tell.
        if kind.family not in (None, model.family):
            continue
        if reason := _unfit(kind, model):
            left_out.append(f"probe '{spec.name}' is left out: {reason}")
        else:
            items, remark = _probe_item_limit(suite, options, spec, kind, limit)
            fitting.append((spec, items))
            left_out += [remark] if remark else []
    return tuple(fitting), tuple(left_out)


def _unfit(probe: type[Probe], model: PlannedModel) -> str | None:
    """Why a model of the right family cannot be measured by a probe all the same, or None."""
    if lack := model.lacks(probe.uses):
        return lack
    return probe.unfit(model.checkpoint) if model.checkpoint else None


def _probe_item_limit(
    suite: SuiteSpec, options: PlanOptions, spec: ProbeSpec, kind: type[Probe], limit: int | None
) -> tuple[int, str | None]:
    """The command line's number, or by the power that it or the suite asks for, or the smaller of suite's and probe's own."""
    if options.probe_items:
        # A probe has its own number of items; only where more are asked for its rows are counted.
        if options.probe_items <= spec.items:
            return options.probe_items, None
        return min(options.probe_items, kind.available_items(spec)), None
    if power := options.probe_power or suite.probe_power:
        return items_by_power(kind, spec, probe_power(power))
    return min(spec.items, limit or spec.items), None

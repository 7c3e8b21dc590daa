"""The model that a plan names: one with weights on this machine, or one behind an API."""

from bench.inference.endpoint_model import EndpointModel
from bench.modeling.models import find_model
from bench.runs.run import PlannedModel
from bench.specs.library import Library


def planned_model(name: str, library: Library, trust_remote_code: bool = False) -> PlannedModel:
    """The model of that name; one with weights is fetched or converted into the cache if need be, and none is asked.

    Raises:
        UserError: there is no such model, or the hub cannot be reached.
    """
    spec = library.model(name)
    if spec is None or spec.endpoint is None:
        return find_model(name, library, trust_remote_code)
    return EndpointModel(spec.name, spec.endpoint)

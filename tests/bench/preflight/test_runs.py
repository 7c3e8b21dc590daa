"""What settings and shapes show to be wrong is told by one call, whichever of the checks it is that finds it."""

from dataclasses import replace

import pytest

from bench.errors import UserError
from bench.preflight.runs import check_names, check_runs


def test_each_of_the_checks_is_made(planned):
    check_runs([planned("full"), planned("lora-8bit")], "ddp", 10**9)
    with pytest.raises(UserError, match="which FSDP2 cannot share out"):
        check_runs([planned("lora-8bit")], "fsdp2")
    with pytest.raises(UserError, match="budget '900000000000examples' is of at least"):
        check_runs([planned("full", budget="900000000000examples")], "none")
    with pytest.raises(UserError, match="frozen=999, but the model has 2 layers"):
        check_runs([planned("frozen", settings=["frozen.frozen=999"])], "none")
    with pytest.raises(UserError, match="there are 0 GB"):
        check_runs([planned("full")], "none", 0)


def test_two_sets_of_one_name_are_refused(planned, library):
    """A record has one result of a name: the domain's would be replaced by the task's."""
    run, other = planned("full"), library.task("rte")
    domain = next(iter(run.task.out_of_domain))
    check_names([replace(run, also=(other,))])
    with pytest.raises(UserError, match=f"'{domain}' is a set from another domain of task '{run.task.name}', and another task"):
        check_names([replace(run, also=(other.model_copy(update={"name": domain}),))])

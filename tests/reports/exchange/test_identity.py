"""An imported record's id: of the content, and of where it is put."""

from pathlib import Path

from bench.hashing import digest
from bench.records.record import Setup
from reports.exchange.identity import imported

SETUP = Setup(suite="s", model="m", task="t", strategy="x", hyperparameters={}, seed=0, budget=None)


def test_the_id_is_a_hash_of_the_inputs():
    run_id, inputs, source = imported("them", Path("a/b.json"), [b"one", b"two"], SETUP, "binomial")
    assert run_id == digest(inputs) and (source.file, source.whose, source.interval) == ("b.json", "them", "binomial")
    assert imported("them", Path("c.json"), [b"one", b"two"], SETUP, "binomial")[0] == run_id
    others = [
        imported("them", Path("b.json"), [b"one"], SETUP, "binomial"),
        imported("others", Path("b.json"), [b"one", b"two"], SETUP, "binomial"),
        imported("them", Path("b.json"), [b"one", b"two"], SETUP.model_copy(update={"task": "u"}), "binomial"),
    ]
    assert run_id not in {other[0] for other in others}

"""All claims of all models."""

from reports.claims import claims


def test_models_are_judged_apart(rows, make, out):
    found = rows(("full", 0.8, {}), ("lora-8bit", 0.8, {"rate": 1e-3, "cost": {"saved_bytes": 4}}))
    models = claims.tested(found)
    assert list(models) == ["smollm2"] and [each.name for each in models["smollm2"]] == list(claims.all_claims())
    smaller = next(each for each in models["smollm2"] if each.name == "smaller")
    assert smaller.verdict == "holds" and smaller.counted("holds") == 1
    assert next(each for each in models["smollm2"] if each.name == "multitask_cheaper").verdict is None

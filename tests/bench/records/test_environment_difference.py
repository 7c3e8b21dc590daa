from bench.records.environment_difference import differing


def test_what_differs_is_told_with_both_sides_and_nothing_else():
    before, now = {"torch": "2.8.0", "gguf": "1", "peft": "0.18"}, {"torch": "2.9.1", "device": "cuda", "peft": "0.18"}
    assert differing(before, now) == {"torch": ("2.8.0", "2.9.1"), "device": ("none", "cuda"), "gguf": ("1", "none")}
    assert differing(now, now) == {}

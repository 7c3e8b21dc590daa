from bench import metrics


def test_malformed_is_the_mean_and_lower_is_better():
    metric = metrics.counted("malformed")
    assert metric.value([1.0, 0.0, 0.0, True], []) == 0.5
    assert metric.share and not metric.higher_is_better


def test_unfinished_is_the_mean_and_lower_is_better():
    metric = metrics.counted("unfinished")
    assert metric.value([1.0, 0.0, 0.0, True], []) == 0.5
    assert metric.share and not metric.higher_is_better


def test_truncated_is_the_mean_and_lower_is_better():
    metric = metrics.counted("truncated")
    assert metric.value([1.0, 0.0, False, True], []) == 0.5
    assert metric.share and not metric.higher_is_better


def test_answerable_is_the_mean_and_higher_is_better():
    metric = metrics.counted("answerable")
    assert metric.value([1.0, 0.0, 1.0, 1.0], []) == 0.75
    assert metric.share and metric.higher_is_better

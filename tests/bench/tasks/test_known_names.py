"""A list of names by hand, and on the task that it must not solve."""

from bench import metrics
from bench.tasks import splits
from bench.tasks.examples import Example
from bench.tasks.known_names import Names
from bench.tasks.spans import entities

TRAIN = [
    Example("1", {"text": "Ada Lee met Lee in Rome"}, ("B-PER", "I-PER", "O", "B-PER", "O", "B-LOC")),
    Example("2", {"text": "Rome plays Rome and Lee"}, ("B-ORG", "O", "B-LOC", "O", "B-PER")),
]


def test_the_longest_name_is_tagged_with_its_most_frequent_label():
    names = Names.of(TRAIN)
    assert names.labels == {("Ada", "Lee"): "PER", ("Lee",): "PER", ("Rome",): "LOC"}
    assert names.tags(["in", "Rome", "Ada", "Lee", "saw", "lee", "Lee"]) == ["O", "B-LOC", "B-PER", "I-PER", "O", "O", "B-PER"]
    assert names.runs(["Ada", "Lee", "Ada"]) == [(0, 2), (1, 2)]
    assert Names.of([]).tags(["Ada"]) == ["O"] and Names.of(TRAIN).tags([]) == []


def listed(library, task):
    """Entity F1 of the list by a search written apart, and of Names."""
    data = splits.load_splits(library.task(task))
    known = {f" {' '.join(e.fields['text'].split()[a:b])} " for e in data.train for _, a, b in entities(e.gold)}
    tests = [e.fields["text"].split() for e in data.test]
    seen = sum(f" {' '.join(w[a:b])} " in known for e, w in zip(data.test, tests, strict=True) for _, a, b in entities(e.gold))
    names = Names.of(data.train)
    f1 = metrics.counted("entity_f1").value([names.tags(words) for words in tests], [list(e.gold) for e in data.test])
    return f1, seen, sum(len(entities(e.gold)) for e in data.test)


def test_a_list_does_not_solve_the_default_tasks(library):
    """It tagged the filings at .908 when role words were names and the split went by sentence."""
    f1, seen, mentions = listed(library, "sec-entities")
    assert f1 < 0.55 and seen < mentions / 2 and mentions >= 50
    f1, seen, mentions = listed(library, "medical-spans")
    assert f1 < 0.2 and seen < mentions / 6 and mentions > 150

import bench.once_per_object
from bench.once_per_object import once_per_object


def test_each_object_is_asked_about_once_by_its_identity(monkeypatch):
    monkeypatch.setattr(bench.once_per_object, "OBJECTS", 2)
    asked = []

    @once_per_object
    def length(values):
        asked.append(values)
        return len(values)

    one, equal, third = [1], [1], [1, 2]
    assert [length(one), length(one), length(equal)] == [1, 1, 1]
    assert len(asked) == 2
    assert length(third) == 2
    assert length(one) == 1  # the oldest had to go, and is worked out again
    assert len(asked) == 4


def test_what_is_forgotten_is_asked_again():
    asked = []

    @once_per_object
    def length(values):
        """Its words."""
        asked.append(values)
        return len(values)

    one = [1]
    assert length(one) == 1 and length.__doc__ == "Its words."
    one.append(2)
    assert length(one) == 1
    length.forget()
    assert length(one) == 2 and len(asked) == 2


def test_what_fails_is_tried_again():
    found = []

    @once_per_object
    def first(values):
        found.append(1)
        return values[0]

    empty = []
    for _ in range(2):
        try:
            first(empty)
        except IndexError:
            continue
    assert len(found) == 2

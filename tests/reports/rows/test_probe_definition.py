"""What a record knows of what was asked."""

from reports.rows.probe_definition import probe_definition


def asked(make, **shape):
    return make.record(inputs={"probes": [[{"name": "lambada", **shape}, 64], [{"name": "arc-easy"}, 32]]})[0]


def test_a_probe_s_definition_is_all_of_it_but_its_limit(make):
    one, limited = asked(make, kind="cloze"), make.record(inputs={"probes": [[{"name": "lambada", "kind": "cloze"}, 8]]})[0]
    assert probe_definition(one, "lambada") == probe_definition(limited, "lambada")
    others = [asked(make, kind="cloze", template="{text}"), asked(make, kind="cloze", source="ab")]
    known = {probe_definition(each, "lambada") for each in (one, *others)}
    assert len(known) == 3 and None not in known


def test_what_a_record_does_not_know_has_no_definition(make):
    assert probe_definition(asked(make), "wikipedia") is None and probe_definition(make.record()[0], "lambada") is None

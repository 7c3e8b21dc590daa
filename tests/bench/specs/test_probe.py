import pytest

from bench.specs.probe import ProbeSpec

FIELDS = {
    "name": "capitals",
    "version": 1,
    "description": "",
    "kind": "cloze",
    "source": {"path": "a.csv", "columns": {"country": "c", "capital": "k"}},
}


def test_a_row_has_the_columns_and_the_templates():
    spec = ProbeSpec.model_validate(FIELDS | {"fields": {"text": "{country}'s capital", "choices": ["{capital}", "Rome"]}})
    assert spec.given == {"country", "capital", "text", "choices"}


def test_what_items_belong_to_is_a_field_of_theirs():
    assert ProbeSpec.model_validate(FIELDS | {"cluster": "country"}).cluster == "country"
    cut = FIELDS["source"] | {"stretches": 20}
    assert ProbeSpec.model_validate(FIELDS | {"source": cut, "cluster": "stretch"}).cluster == "stretch"
    with pytest.raises(ValueError, match="stretches of several sources have the same numbers"):
        ProbeSpec.model_validate(FIELDS | {"source": [cut, cut], "cluster": "stretch"})
    with pytest.raises(ValueError, match="the parts of source must give the same columns"):
        ProbeSpec.model_validate(FIELDS | {"source": [cut, FIELDS["source"]]})
    with pytest.raises(ValueError, match="at least 1 character"):
        ProbeSpec.model_validate(FIELDS | {"cluster": ""})
    with pytest.raises(ValueError, match="cluster: no row has the field 'land'; rows have capital, country"):
        ProbeSpec.model_validate(FIELDS | {"cluster": "land"})


def test_parts_of_a_source_have_one_shape():
    other = {"path": "b.csv", "columns": {"country": "c"}}
    with pytest.raises(ValueError, match="the parts of source must give the same columns"):
        ProbeSpec.model_validate(FIELDS | {"source": [FIELDS["source"], other]})


@pytest.mark.parametrize("template", ["{contry}", ["{country}", "{contry}"]])
def test_a_template_names_columns_alone(template):
    with pytest.raises(ValueError, match=r"a template names \{contry\}, but the columns give country, capital"):
        ProbeSpec.model_validate(FIELDS | {"fields": {"text": template}})


@pytest.mark.parametrize("template", ["{country!z}", "{country.name}", "{}", "{0}"])
def test_a_template_holds_names_and_changes_alone(template):
    with pytest.raises(ValueError, match="a template holds"):
        ProbeSpec.model_validate(FIELDS | {"fields": {"text": template}})
    ProbeSpec.model_validate(FIELDS | {"fields": {"text": "{country:unstopped}"}})

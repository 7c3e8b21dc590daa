"""A model's name, or its file, as the model that it means."""

from bench.inference.endpoint_model import EndpointModel
from bench.modeling.models import Model
from bench.planning.planned_model import planned_model


def test_a_file_may_mean_an_api_and_a_name_what_lies_here(library, decoder_folder, tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ndescription: d\nendpoint: {base_url: 'https://host/v1', model: m, key_env: BENCH_NO_SUCH_KEY}\n"
    )
    far = planned_model(str(tmp_path / "mine.yaml"), library)  # without its key, which only asking needs
    assert isinstance(far, EndpointModel) and far.name == "mine" and far.origin == "https://host/v1/chat/completions"
    assert all(isinstance(planned_model(name, library), Model) for name in ("tiny-bert", str(decoder_folder)))

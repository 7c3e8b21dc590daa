def test_full_trains_everything_and_wraps_nothing(adapted, trainable, decoder):
    _, model = adapted("full", decoder)
    assert trainable(model) == {name for name, _ in model.named_parameters()}
    assert type(model) is type(decoder.load())


def test_all_of_it_must_be_kept(adapted, decoder):
    chosen, model = adapted("full", decoder)
    saved = chosen.trained_state(model)
    fresh = decoder.load()
    fresh.load_state_dict(saved, strict=False)
    assert saved.keys() == dict(fresh.named_parameters()).keys()  # a tied head counts once

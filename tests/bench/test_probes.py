import pytest
import torch
import transformers

from bench import probes
from bench.specs import ProbeSpec, Source


def probe(spec, encoding, limit=12):
    return probes.load(spec)(spec, encoding, limit, 512)


def test_language_modelling_loss_is_transformers_own(library, decoder, decoding):
    model = decoder.load().eval()
    wiki = probe(library.probe("wikipedia"), decoding)
    items = wiki.measure(model)
    for row, (_, item) in zip(wiki.rows, items.iterrows(), strict=True):
        ids = torch.tensor([decoding.text(row["text"]).ids])
        with torch.no_grad():
            expected = model(input_ids=ids, labels=ids).loss.item()
        assert item["value"] == pytest.approx(expected, rel=1e-5)
        assert item["weight"] == ids.shape[1] - 1
    total = (items["value"] * items["weight"]).sum() / items["weight"].sum()
    assert wiki.score({name: items[name].to_numpy() for name in items}) == pytest.approx(total)


def test_multiple_choice_takes_the_likeliest(library, decoder, decoding):
    model = decoder.load().eval()
    arc = probe(library.probe("arc-easy"), decoding)
    items = arc.measure(model)
    for row, (_, item) in zip(arc.rows, items.iterrows(), strict=True):
        totals = []
        for choice in row["choices"]:
            context, answer = decoding.ids(row["question"]), decoding.ids(f" {choice}", special=False)
            with torch.no_grad():
                logits = model(torch.tensor([context + answer])).logits[0].log_softmax(-1)
            totals.append(sum(logits[len(context) - 1 + i, token].item() for i, token in enumerate(answer)))
        assert int(item["prediction"]) == totals.index(max(totals))
        assert item["value"] == float(item["prediction"] == row["gold"])


def test_cloze_is_right_when_generation_gives_the_word(library, decoder, decoding):
    model = decoder.load().eval()
    spec = library.probe("lambada")
    cloze = probe(spec, decoding)
    # A random model never guesses the word: ask for what it would write, so that both outcomes occur.
    for number, row in enumerate(cloze.rows):
        ids = torch.tensor([decoding.fitted(decoding.ids(row["text"]), room=8)])
        written = model.generate(
            ids, max_new_tokens=1, do_sample=False, generation_config=transformers.GenerationConfig(pad_token_id=0)
        )
        word = decoding.model.tokenizer.decode(written[0, -1:])
        if number % 2 and word.startswith(" ") and decoding.ids(word, special=False) == written[0, -1:].tolist():
            row["answer"], row["expected"] = word[1:], 1.0
        else:
            row["expected"] = 0.0
    items = cloze.measure(model)
    assert items["value"].tolist() == [row["expected"] for row in cloze.rows]


def test_similarity_is_the_rank_of_cosines(library, encoder):
    from bench.encoding import Encoding

    mrpc = probe(library.probe("mrpc"), Encoding(encoder, 128), 40)
    model = encoder.load(transformers.AutoModel).eval()
    items = mrpc.measure(model)
    tokenizer = encoder.tokenizer
    with torch.no_grad():
        for row, (_, item) in list(zip(mrpc.rows, items.iterrows(), strict=True))[:5]:
            pair = [
                model(**tokenizer(row[side], return_tensors="pt")).last_hidden_state[0].mean(0) for side in ("first", "second")
            ]
            assert item["value"] == pytest.approx(torch.cosine_similarity(*pair, dim=0).item(), abs=1e-4)
    yes, no = (items[items["gold"] == gold]["value"] for gold in ("1", "0"))
    wins = sum((a > b) + 0.5 * (a == b) for a in yes for b in no) / (len(yes) * len(no))
    assert mrpc.score({name: items[name].to_numpy() for name in items}) == pytest.approx(wins)


def test_a_larger_limit_keeps_the_smaller_ones_items(library, decoding):
    small, large = (probe(library.probe("arc-easy"), decoding, limit).rows for limit in (5, 20))
    assert large[:5] == small


def test_an_untouched_model_answers_the_same_when_loaded_again(library, decoder, decoding):
    for name in ("wikipedia", "lambada", "arc-easy"):
        loaded = probe(library.probe(name), decoding)
        first, second = (loaded.measure(decoder.load().eval()) for _ in range(2))
        assert first.equals(second)


@pytest.mark.parametrize(
    ("kind", "row", "sentence"),
    [
        ("multiple-choice", {"question": "q", "choices": "abc", "gold": "0"}, "line 1: field 'choices' must be a list"),
        (
            "multiple-choice",
            {"question": "q", "choices": ["a", "b"], "gold": "A"},
            "must be the number of a choice, from 0 to 1",
        ),
        ("similarity", {"first": "a", "second": "b", "gold": "yes"}, "field 'gold' must be 0 or 1, not 'yes'"),
        ("cloze", {"text": "a", "answer": None}, "line 1: field 'answer' is empty"),
    ],
)
def test_a_probes_bad_rows_are_named(tmp_path, kind, row, sentence):
    import json

    from bench.errors import UserError

    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    source = Source(path=str(tmp_path / "rows.jsonl"), columns={name: name for name in row})
    spec = ProbeSpec(name="own", version=1, description="", kind=kind, source=source)
    with pytest.raises(UserError, match=sentence):
        probes.load(spec).check(spec)


def test_a_probe_names_the_columns_it_needs(tmp_path):
    from bench.errors import UserError
    from bench.plan import Options, plan

    (tmp_path / "probes").mkdir()
    (tmp_path / "rows.jsonl").write_text('{"t": "x"}\n')
    (tmp_path / "probes" / "own.yaml").write_text(
        "name: own\nversion: 1\ndescription: d\nkind: cloze\nsource: {path: ../rows.jsonl, columns: {text: t}}\n"
    )
    (tmp_path / "s.yaml").write_text(
        "name: s\nversion: 1\ndescription: d\nmodels: [tiny-bert]\ntasks: [sst2]\nstrategies: [full]\nprobes: [own]\n"
    )
    with pytest.raises(UserError, match="probe 'own': a cloze probe needs the columns answer"):
        plan(Options(str(tmp_path / "s.yaml")), "fp32")
    assert ProbeSpec.model_fields["source"].annotation is Source

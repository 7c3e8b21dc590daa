"""A tokenizer that does not know the texts is told before anything is trained."""

import shutil

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from bench.errors import UserError
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.preflight.tokenizers import check_tokenizers
from bench.tasks import splits


def planned(folder, words):
    """Runs of a model whose tokenizer knows these words alone."""
    vocabulary = {"[UNK]": 0, "[PAD]": 1} | {word: number for number, word in enumerate(words, start=2)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    for path in folder.glob("*token*"):
        path.unlink()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]").save_pretrained(folder)
    return plan(PlanOptions("sentiment", model=str(folder), strategies=["zero-shot", "full"]), "fp32")


def test_unknown_words_are_counted(decoder_folder, tmp_path, sst2):
    data = splits.load_splits(sst2)
    words = [word for example in data.train[:256] for field in example.fields.values() for word in field.split()]
    some = sorted(set(words), key=words.count, reverse=True)[:500]
    unknown = sum(word not in some for word in words)
    assert unknown > 0.2 * len(words)
    with pytest.raises(
        UserError, match=rf"does not know \d\d% .* \({unknown:,} of {len(words):,} in 256 examples, more than 20%\)"
    ):
        check_tokenizers(planned(shutil.copytree(decoder_folder, tmp_path / "some"), some))


def test_a_tokenizer_of_bytes_knows_everything(decoder_folder):
    check_tokenizers(plan(PlanOptions("sentiment", model=str(decoder_folder), strategies=["full"]), "fp32"))

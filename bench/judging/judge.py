"""A judge asked about pairs of runs, each item in both orders: what that costs, and what it said, which is kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.errors import UserError
from bench.hashing import digest
from bench.inference.endpoint_model import CHARACTERS, Conversations, EndpointModel, Turns
from bench.judging.prompt import JUDGE_PROMPT_VERSION, judge_prompt, named_place
from bench.judging.row_pairs import Contest, Pairing, RowPair
from bench.records.judged import JudgedItem, JudgedPair, Said, Winner, find_judged, judged_place, write_judged
from bench.specs.library import Library

ORDERS: tuple[dict[str, Winner], ...] = (
    {"first": "one", "second": "other", "tie": "tie"},
    {"first": "other", "second": "one", "tie": "tie"},
)
"""Whom a word names: asked with the answer of `one` in the first place, and with that of `other`."""


def find_judge(name: str) -> EndpointModel:
    """The model behind an API of that name, or of that YAML file.

    Raises:
        UserError: there is none, it is no endpoint, or its key is missing.
    """
    spec = Library().model(name)
    if spec is None or spec.endpoint is None:
        raise UserError(f"--judge '{name}' is no model behind an API; name a YAML file with the block `endpoint`")
    judge = EndpointModel(spec.name, spec.endpoint)
    judge.check_access()  # a missing key is told now
    return judge


@dataclass(frozen=True)
class Judging:
    """A judge, and the folder in which its verdicts are kept.

    Args:
        say: hears a sentence on replies without a text.
    """

    judge: EndpointModel
    out: Path
    say: Callable[[str], None]

    @cached_property
    def _conversations(self) -> Conversations:
        return Conversations(self.judge.endpoint, self.say)

    def cost_sentence(self, all_pairs: Sequence[RowPair]) -> str:
        """What asking about all of them costs, as far as it was not asked before."""
        pairings = {pairing for pair in all_pairs for pairing, _ in pair.pairings}
        if all(_same_answers(contest) for pairing in pairings for contest in pairing.contests):
            return f"nothing has to be asked of {self.judge.name}: both answers to each item are the same"
        prompts = [
            turns for pairing in pairings for contest in self._unjudged(pairing) for turns in _both_prompts(pairing, contest)
        ]
        waiting = self._conversations.unanswered(prompts)
        if not waiting:
            return f"nothing is asked of {self.judge.name}: all its replies are kept"
        read = sum(len(prompt) for (prompt,) in waiting) / CHARACTERS
        written = len(waiting) * self.judge.spec.max_tokens
        return self.judge.cost_sentence(f"{len(waiting):,} requests", read, written)

    def verdicts(self, pairing: Pairing) -> list[JudgedItem]:
        """Of each contest of the pairing, in their order. What is kept is not asked again.

        Raises:
            UserError: the server refuses key, model or request.
            RunError: it stays out of reach; replies received by then are kept, and the same command goes on from there.
        """
        kept = self._kept(pairing)
        known = _still_known(pairing, kept)
        if missing := [contest for contest in pairing.contests if contest.item not in known]:
            known |= self._new(pairing, missing)
            self._write(pairing, kept | known)
        return [known[contest.item] for contest in pairing.contests]

    def _new(self, pairing: Pairing, contests: Sequence[Contest]) -> dict[str, JudgedItem]:
        """Two answers that are the same are a tie, of which nothing is asked."""
        different = [contest for contest in contests if not _same_answers(contest)]
        prompts = [turns for contest in different for turns in _both_prompts(pairing, contest)]
        replies = iter(answer.text for answer in self._conversations.answers(prompts))
        judged = [_judged_item(pairing, contest, next(replies), next(replies)) for contest in different]
        judged += [JudgedItem(item=c.item, asked=_prompt_hash(pairing, c), verdict="tie") for c in contests if _same_answers(c)]
        return {each.item: each for each in judged}

    def _unjudged(self, pairing: Pairing) -> list[Contest]:
        known = _still_known(pairing, self._kept(pairing))
        return [contest for contest in pairing.contests if contest.item not in known and not _same_answers(contest)]

    def _kept(self, pairing: Pairing) -> dict[str, JudgedItem]:
        kept = find_judged(judged_place(self.out, pairing.one, pairing.other, self.judge.content_hash))
        return {judged.item: judged for judged in kept.items} if kept else {}

    def _write(self, pairing: Pairing, items: dict[str, JudgedItem]) -> None:
        pair = JudgedPair(
            judge=self.judge.name,
            model=self.judge.spec.model,
            judge_hash=self.judge.content_hash,
            prompt_version=JUDGE_PROMPT_VERSION,
            one=pairing.one,
            other=pairing.other,
            items=list(items.values()),
        )
        write_judged(self.out, pair)


def _still_known(pairing: Pairing, kept: dict[str, JudgedItem]) -> dict[str, JudgedItem]:
    """What was said of exactly these answers, in exactly these words. A judge that said nothing may speak another time."""
    hashes = {contest.item: _prompt_hash(pairing, contest) for contest in pairing.contests}
    return {item: judged for item, judged in kept.items() if hashes.get(item) == judged.asked and not _has_silent_reply(judged)}


def _has_silent_reply(judged: JudgedItem) -> bool:
    return any(reply is not None and not reply.text.strip() for reply in (judged.one_first, judged.other_first))


def _same_answers(contest: Contest) -> bool:
    return contest.one == contest.other


def _both_prompts(pairing: Pairing, contest: Contest) -> tuple[Turns, Turns]:
    """What is asked of the answers in both orders."""
    task, text, one, other = pairing.task, contest.text, contest.one, contest.other
    return (judge_prompt(task, text, one, other),), (judge_prompt(task, text, other, one),)


def _prompt_hash(pairing: Pairing, contest: Contest) -> str:
    return digest(_both_prompts(pairing, contest)[0])


def _judged_item(pairing: Pairing, contest: Contest, *replies: str) -> JudgedItem:
    first, second = (_reply_and_winner(reply, order) for reply, order in zip(replies, ORDERS, strict=True))
    # A judge that prefers a place names the two answers in turn: it has not told them apart, which makes a tie.
    agreed = first.winner if first.winner == second.winner else None
    prompt = _prompt_hash(pairing, contest)
    return JudgedItem(item=contest.item, asked=prompt, one_first=first, other_first=second, verdict=agreed or "tie")


def _reply_and_winner(reply: str, order: dict[str, Winner]) -> Said:
    place = named_place(reply)
    return Said(text=reply, winner=order[place] if place else None)

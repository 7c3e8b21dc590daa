"""What one written text adds to corpus chrF and BLEU, and the scores that the sums make, by their definitions.

chrF2 (Popovic 2015) is of n-grams of one to six characters without blanks; BLEU (Papineni et al. 2002) of one to four words as
mteval-v13a has them, with its smoothing. `others_metrics.py` has sacrebleu's own scores of all texts at once; a test holds
the two together, with any text left out.
"""

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from typing import Any

Sums = Mapping[Hashable, float]

CHARACTERS_AT_ONCE = range(1, 7)
WORDS_AT_ONCE = range(1, 5)
RECALL_COUNTS = 2
"""By so much recall weighs more than precision: the 2 of chrF2."""


def chrf_terms(prediction: str, references: Sequence[str]) -> Counter[Hashable]:
    """Of the reference by which the text has the highest score, the first of several."""
    return max((_chrf_terms_against(prediction, reference) for reference in references), key=chrf)


def _chrf_terms_against(prediction: str, reference: str) -> Counter[Hashable]:
    said, right = ("".join(text.split()) for text in (prediction, reference))
    terms: Counter[Hashable] = Counter()
    for n in CHARACTERS_AT_ONCE:
        mine, theirs = _grams(said, n), _grams(right, n)
        # What a reference is too short for is not held against the text.
        terms["said", n] = sum(mine.values()) if theirs else 0
        terms["right", n] = sum(theirs.values())
        terms["hits", n] = sum((mine & theirs).values())
    return terms


def chrf(sums: Sums) -> float:
    """From 0 to 100: precision and recall are means over the lengths of n-grams that both sides have."""
    known = [n for n in CHARACTERS_AT_ONCE if sums["said", n] > 0 and sums["right", n] > 0]
    if not known:
        return 0.0
    # Added up as sacrebleu does it: of two references that are equally near, the last digit chooses.
    precision, recall = (sum(sums["hits", n] / sums[of, n] for n in known) / len(known) for of in ("said", "right"))
    weight = RECALL_COUNTS**2
    return 100 * ((1 + weight) * precision * recall / (weight * precision + recall)) if precision + recall else 0.0


def bleu_terms(prediction: str, references: Sequence[str]) -> Counter[Hashable]:
    """Each n-gram is right as often as it stands in one of the references; the length is that of the nearest one."""
    said, right = _mteval_words(prediction), [_mteval_words(reference) for reference in references]
    nearest = min((abs(len(words) - len(said)), len(words)) for words in right)[1]
    terms: Counter[Hashable] = Counter({("length", "said"): len(said), ("length", "right"): nearest})
    for n in WORDS_AT_ONCE:
        mine, most = _grams(said, n), Counter[Hashable]()
        for words in right:
            most |= _grams(words, n)
        terms["said", n], terms["hits", n] = sum(mine.values()), sum((mine & most).values())
    return terms


def bleu(sums: Sums) -> float:
    """From 0 to 100: the geometric mean of four precisions, less where the texts are shorter than their references."""
    if not any(sums["hits", n] for n in WORDS_AT_ONCE):
        return 0.0
    missing, logs = 0, []
    for n in WORDS_AT_ONCE:
        if not sums["said", n]:
            return 0.0
        # mteval halves the part of a hit that stands for none with each length that has none.
        missing += not sums["hits", n]
        logs.append(math.log((sums["hits", n] or 0.5**missing) / sums["said", n]))
    brevity = min(0.0, 1 - sums["length", "right"] / sums["length", "said"])
    return 100 * math.exp(brevity + math.fsum(logs) / len(WORDS_AT_ONCE))


def _grams(parts: Sequence[str], n: int) -> Counter[Hashable]:
    return Counter(tuple(parts[place : place + n]) for place in range(len(parts) - n + 1))


def _mteval_words(text: str) -> list[str]:
    return list(_tokenizer()(text.rstrip()).split())


@cache
def _tokenizer() -> Any:
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

    return Tokenizer13a()

"""What must be alike in rows that were imported, as far as somebody else's file tells it."""

from bench.records.record import Record

OF_IMPORT = "words"
"""The input of an imported run that tells the words of its task: how its prompt begins, and a hash of all of them."""
QUESTION_OF_IMPORT = "question"
"""That which hashes which items it was asked, and how they were answered."""
SHOTS_OF_IMPORT = "solved_examples"
"""How many solved examples stood before each question, and a hash of how they were drawn."""
PROMPTS_OF_IMPORT = "prompts"
"""A hash of all prompts and right answers, as the file tells it."""
COMMITS_OF_IMPORT = "commits"
"""The commits of the model and of each data set at their hub, by name."""


def question_of_import(record: Record) -> str | None:
    """A hash, where a file tells which data was asked and how answers were written."""
    question = record.provenance.inputs.get(QUESTION_OF_IMPORT)
    return None if question is None else str(question)[:6]


def solved_examples(record: Record) -> str | None:
    return record.provenance.inputs.get(SHOTS_OF_IMPORT)


def prompts_of_import(record: Record, shots: str) -> str | None:
    prompts = record.provenance.inputs.get(PROMPTS_OF_IMPORT)
    return str(prompts)[:6] if prompts and solved_examples(record) == shots else None


def chat_template(record: Record) -> str | None:
    """Of an import that tells it: another one puts other words around each question."""
    told = record.setup.hyperparameters
    if record.provenance.source is None or "chat_template_sha" not in told:
        return None
    return str(told["chat_template_sha"])[:8] if told["chat_template_sha"] else "none"


def commits_of_import(record: Record) -> str | None:
    """Another one may hold the same model and data: a hub counts each change of a page."""
    commits = record.provenance.inputs.get(COMMITS_OF_IMPORT)
    return ", ".join(f"{name} {commit[:8]}" for name, commit in sorted(commits.items())) if commits else None


def version_of_import(record: Record, package: str) -> str | None:
    return record.provenance.versions.get(package) if record.provenance.source else None

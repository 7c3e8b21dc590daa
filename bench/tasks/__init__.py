"""A task from its rows to the words and ids that a model reads, and back."""

"""A suite from a person's own file: looked at, guessed with reasons, shown, and written for them to change."""

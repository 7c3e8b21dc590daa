"""One run, from a line of the plan to a record."""

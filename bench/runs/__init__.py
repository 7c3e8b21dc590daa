"""A run as a question, with an id; and the folder in which one that is being done keeps what it has come to."""

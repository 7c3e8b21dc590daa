"""Results of others, read into records like ours; what they do not say stays unknown."""

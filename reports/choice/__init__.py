"""Which row to pick, for what it may cost and forget."""

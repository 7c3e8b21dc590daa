"""A run's result as data: the schema, reading, writing and migration. No torch."""

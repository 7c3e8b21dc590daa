"""A suite becomes runs with ids, and what they would cost."""

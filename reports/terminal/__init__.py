"""The tables that a terminal shows."""

"""Tables and figures for a text."""

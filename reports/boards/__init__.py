"""Rows as a table of text and plain values: the page draws it, and a choice is made from it."""

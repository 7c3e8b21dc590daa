"""Blocks that never change are gone through once per text: what they gave is kept, and replayed where the text comes again."""

"""Checkpoints as models: layers, heads, forward passes, FLOPs."""

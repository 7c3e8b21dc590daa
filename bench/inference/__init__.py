"""Predictions: one interface between a model and all who ask it, and the models behind it."""

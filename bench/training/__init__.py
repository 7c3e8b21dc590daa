"""The training loop, its state, early stopping."""

"""What a model is asked, the untouched one and the trained, and what its answers come to."""

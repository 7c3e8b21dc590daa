"""Well-known claims about fine-tuning, tested on one's own records."""

"""Records in, pages and tables out. Nothing here imports torch, transformers or bench.training: a report needs no model."""

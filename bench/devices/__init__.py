"""The one place that chooses device, precision, threads and processes."""

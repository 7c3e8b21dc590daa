"""Token ids: windows, padded batches, the order of examples. Nothing here knows a task."""

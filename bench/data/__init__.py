"""Where rows come from: pinned archives, files, hub sets, and their formats. Nothing here knows what rows are for."""

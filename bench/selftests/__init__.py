"""What a run measures, measured a second time: by plain code that shares nothing with the engine, and under planted damage."""

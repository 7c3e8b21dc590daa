"""How several processes and machines share the work of one output folder."""

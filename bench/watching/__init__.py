"""How far a suite is, for whoever looks: a small file that each process writes, and what is shown of such files."""

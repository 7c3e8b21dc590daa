"""Records become one table of rows, which all reports read."""

"""How text is written where it is read: Markdown, CSV, and the tables of a terminal."""

"""What a judge said of rows' answers, as win rates."""

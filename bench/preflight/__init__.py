"""What is wrong with the runs that are to be done, found before the first of them starts."""

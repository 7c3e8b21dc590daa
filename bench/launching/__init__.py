"""`tunebench run --launch`: a suite on the processes that a launch file describes."""

"""The launcher's entry: `accelerate launch bench/run.py --suite sentiment` takes the options of `tunebench run`."""

import sys
from pathlib import Path

# A launcher runs this file from a checkout that need not be installed.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    from bench.processes import ranks, stopping

    # Before anything heavy is imported.
    stopping.keep_waiting()
    ranks.follow_launcher()
    from bench.cli import main

    main(["run", *sys.argv[1:]])

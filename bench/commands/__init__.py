"""The commands, a file per subject; heavy packages are imported by the functions that need them."""

"""Processes of tunebench: how they are started, wait, are asked to stop, notice that another is gone, and end."""

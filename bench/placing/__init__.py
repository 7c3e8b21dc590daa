"""Runs on workers: which device each of them has, who gives them work, and what a person sees of it."""

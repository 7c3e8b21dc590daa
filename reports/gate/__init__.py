"""Whether runs became worse than earlier ones: what is compared, the verdicts, and what was accepted before."""

"""Faults with real processes. The load, the truth and the check share no code with Fogline."""

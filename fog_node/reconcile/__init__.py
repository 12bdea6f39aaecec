"""Brings containers to what shall be: decided without I/O, done one by one, each failing alone."""

"""Operators: containers that answer batches over a Unix socket; the gateway between them and the steps."""

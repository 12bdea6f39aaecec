"""Fogline: one SQL pipeline across fog nodes, aggregators and the cloud."""

__version__ = "0.1.0"

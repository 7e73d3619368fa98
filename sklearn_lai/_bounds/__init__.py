"""Certified bounds of the slopes of a fitted network over a box of inputs, in NumPy."""

from .network import bound_slopes

__all__ = ["bound_slopes"]

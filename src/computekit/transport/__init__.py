"""Wires between callers and agents."""

from computekit.transport.in_process import InProcessWire

__all__ = ["InProcessWire"]

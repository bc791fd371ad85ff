"""Traits: what a provider can do, as names."""

from typing import NewType

__all__ = ["Trait"]

Trait = NewType("Trait", str)
"""A standard name of os-traits or `CUSTOM_[A-Z0-9_]+`, 255 characters at most."""

"""What tests of computekit, and of code that uses it, are made with.

Each room's conformance suite is a module of its own (`computekit.testing.virt_laws` ...), for it
needs pytest.
"""

from computekit.testing.clock import ManualClock

__all__ = ["ManualClock"]

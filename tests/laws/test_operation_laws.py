"""An operation with every sort of step under all laws."""

import pytest

from computekit.testing.operation_laws import OperationLaws
from computekit.testing.operation_world import OperationCase
from tests.unit.journal.workshop import order_case


class TestOrder(OperationLaws):
    @pytest.fixture(params=[(), (1,), (1, 2)], ids=["plain", "second bench", "third bench"])
    def case(self, request: pytest.FixtureRequest) -> OperationCase:
        return order_case(bad_benches=request.param)

"""What a remainder of a device is worth: dual prices of a cutting-stock programme.

Requests for parts of a device are pieces to be cut from whole devices. The linear programme that
cuts a mix of pieces from as few devices as possible has a price for each piece, in devices; what
a remainder is worth is the most that pieces can earn in it. A remainder that no combination of
pieces fills is worth less than its size, one below the smallest piece nothing.

Method: column generation, Gilmore and Gomory, Operations Research 9 (1961).
"""

from collections.abc import Mapping

import attrs
import numpy as np

from computekit.placement import IntArray
from computekit.scheduler.blocks import FloatArray

__all__ = ["RemainderPrices", "remainder_prices"]

_NEAR = 1e-9
_ROUNDS = 2_000


@attrs.frozen(eq=False)
class RemainderPrices:
    """What pieces cost and what remainders are worth.

    Attributes:
        of_piece: the price of each size of piece, in whole devices.
        worth: of each remainder from 0 to the whole device, in whole devices; never falls.
    """

    of_piece: Mapping[int, float]
    worth: FloatArray


def remainder_prices(pieces: Mapping[int, float], whole: int) -> RemainderPrices:
    """Return the prices of a mix of pieces.

    Args:
        pieces: how many of each size are asked for; sizes from 1 to `whole`.
        whole: the size of a device.
    """
    wanted = {size: count for size, count in sorted(pieces.items()) if count > 0}
    worth = np.zeros(whole + 1)
    worth[whole] = 1.0
    if not wanted:
        return RemainderPrices({}, worth)
    unit = int(np.gcd.reduce([*wanted, whole]))
    sizes = np.array(list(wanted)) // unit
    length = whole // unit
    counts = np.array(list(wanted.values()), dtype=np.float64)
    # Each column is a way to cut a device; at first each cuts one size only.
    basis = np.diag((length // sizes).astype(np.float64))
    table: FloatArray = worth
    prices: FloatArray = table
    for _round in range(_ROUNDS):
        prices = np.asarray(np.linalg.solve(basis.T, np.ones(len(sizes))), dtype=np.float64)
        table, last = _knapsack(prices, sizes, length)
        if table[length] <= 1 + _NEAR:
            break
        way = _way(last, sizes, length)
        amounts, change = np.linalg.solve(basis, np.stack([counts, way], axis=1)).T
        growing = change > _NEAR
        ratios = np.where(growing, amounts / np.where(growing, change, 1.0), np.inf)
        basis[:, int(ratios.argmin())] = way
    worth = table[np.arange(whole + 1) // unit]
    of_piece = {size: float(price) for size, price in zip(wanted, prices, strict=True)}
    return RemainderPrices(of_piece, worth)


def _knapsack(prices: FloatArray, sizes: IntArray, length: int) -> tuple[FloatArray, list[int]]:
    """Return the most that pieces earn in each length, and the last piece put there, -1: none."""
    table = np.zeros(length + 1)
    last = [-1] * (length + 1)
    for at in range(1, length + 1):
        fitting = int(np.searchsorted(sizes, at, side="right"))
        table[at] = table[at - 1]
        if fitting:
            earned = prices[:fitting] + table[at - sizes[:fitting]]
            best = int(earned.argmax())
            if earned[best] > table[at] + _NEAR:
                table[at], last[at] = earned[best], best
    return table, last


def _way(last: list[int], sizes: IntArray, length: int) -> FloatArray:
    way = np.zeros(len(sizes))
    at = length
    while at > 0:
        if last[at] < 0:
            at -= 1
        else:
            way[last[at]] += 1
            at -= int(sizes[last[at]])
    return way

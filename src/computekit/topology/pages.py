"""Which pages of a host node can back a guest node's memory."""

from collections.abc import Sequence
from typing import TypeAlias

from computekit.topology.guest import PageSize
from computekit.topology.host import HostNode, PageStock
from computekit.topology.misfit import Shortage
from computekit.units import Kib, Mib, kib_to_mib, mib_to_kib

__all__ = ["Short", "choose_pages", "pages_for"]

Short: TypeAlias = tuple[Shortage, int, int]
"""What is short, how much was asked, how much is there."""


def pages_for(memory_mib: Mib, size_kib: Kib) -> int:
    """Return how many pages make up this memory, the last one maybe not full."""
    return -(-mib_to_kib(memory_mib) // size_kib)


def choose_pages(node: HostNode, memory_mib: Mib, wanted: PageSize | Kib) -> Kib | Short:
    """Return the size of pages that back the memory, or what is short (asked, there).

    `small` takes the smallest size, `large` the largest of the others that has room, `any` the
    largest of all that has room, a number exactly that (Nova: `hw:mem_page_size`). A size has room
    if the memory is a whole number of its pages and so many are free.
    """
    stocks = _eligible(node.pages, wanted)
    if not stocks:
        asked = wanted if not isinstance(wanted, PageSize) else 0
        return Shortage.PAGE_SIZE, asked, max((stock.size_kib for stock in node.pages), default=0)
    for stock in stocks:
        if not mib_to_kib(memory_mib) % stock.size_kib and (
            pages_for(memory_mib, stock.size_kib) <= stock.free
        ):
            return stock.size_kib
    most_kib = max(stock.size_kib * max(stock.free, 0) for stock in stocks)
    return Shortage.PAGES, memory_mib, kib_to_mib(Kib(most_kib))


def _eligible(pages: Sequence[PageStock], wanted: PageSize | Kib) -> tuple[PageStock, ...]:
    """Return the stocks of sizes that may be used, the preferred one first."""
    if not isinstance(wanted, PageSize):
        return tuple(stock for stock in pages if stock.size_kib == wanted)
    by_size = sorted(pages, key=lambda stock: stock.size_kib)
    match wanted:
        case PageSize.SMALL:
            return tuple(by_size[:1])
        case PageSize.LARGE:
            return tuple(reversed(by_size[1:]))
        case PageSize.ANY:
            return tuple(reversed(by_size))

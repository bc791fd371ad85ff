"""Our own element in a domain's metadata: whose it is, so that a host alone can tell."""

import xml.etree.ElementTree as ET

import attrs

from computekit.ids import InstanceId, OperationId
from computekit.virt.ports import DomainMark

__all__ = [
    "MARK_KEY",
    "MARK_NAMESPACE",
    "Marking",
    "marking_element",
    "marking_text",
    "read_marking",
]

MARK_NAMESPACE = "urn:computekit:domain:1"
"""The XML namespace of our element; the number is the version of what is in it."""

MARK_KEY = "ck"
"""The prefix that libvirt gives it."""

_TAG = "domain"


@attrs.frozen
class Marking:
    """What is written into a domain.

    Attributes:
        mark: whose it is.
        boots: differs after each start; 0 before the first.
    """

    mark: DomainMark
    boots: int = 0


def marking_element(marking: Marking) -> ET.Element:
    """Return the element, in our namespace, for a domain's XML."""
    return ET.Element(f"{{{MARK_NAMESPACE}}}{_TAG}", _attributes(marking))


def marking_text(marking: Marking) -> str:
    """Return the element as libvirt wants it by itself: libvirt adds the namespace."""
    return ET.tostring(ET.Element(_TAG, _attributes(marking)), encoding="unicode")


def _attributes(marking: Marking) -> dict[str, str]:
    mark = marking.mark
    return {
        "instance": mark.instance,
        "epoch": str(mark.epoch),
        "operation": mark.operation,
        "boots": str(marking.boots),
    }


def read_marking(text: str, uuid: str) -> Marking | None:
    """Return what the element `text` of the domain `uuid` says, or None if it is not ours.

    A copy of one of our domains has our element too; but it has an id of its own.
    """
    try:
        found = ET.fromstring(text).attrib  # noqa: S314  # libvirt has parsed and written it
        mark = DomainMark(
            InstanceId(found["instance"]), int(found["epoch"]), OperationId(found["operation"])
        )
        boots = int(found["boots"])
    except (ET.ParseError, KeyError, ValueError):
        return None
    return Marking(mark, boots) if mark.instance == uuid else None

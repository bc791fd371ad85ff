"""Files of images on the wire: taken and given piece by piece."""

import re

import attrs

from computekit.api import Microversion
from computekit.api.image.values import FileWanted, ImageFilled, OpenedFile
from computekit.http.image.forms import image_id
from computekit.http.problem import Problem, Refused
from computekit.http.wire import Answer, FilePart, HttpRequest, Readable
from computekit.units import Bytes

__all__ = ["DownloadForm", "UploadForm"]

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_BEYOND = 10**18
OCTETS = "application/octet-stream"


@attrs.frozen
class UploadForm:
    """The file of an image, as long as it may be.

    Attributes:
        limit_bytes: longest file that is taken.
    """

    limit_bytes: Bytes

    def parse(self, request: HttpRequest, version: Microversion) -> ImageFilled:
        said = str(request.headers.environ.get("CONTENT_LENGTH") or "0")
        if int(said) > self.limit_bytes:
            raise _too_long(self.limit_bytes)
        return ImageFilled(image_id(request), _Bounded(request.stream, self.limit_bytes))

    def render(self, output: None, version: Microversion) -> Answer:
        return Answer(204)


class _Bounded:
    """A stream that may not be longer than a limit."""

    def __init__(self, stream: Readable, limit_bytes: Bytes) -> None:
        self._stream = stream
        self._limit_bytes = limit_bytes
        self._taken = 0

    def read(self, size: int, /) -> bytes:
        found = self._stream.read(size)
        self._taken += len(found)
        if self._taken > self._limit_bytes:
            raise _too_long(self._limit_bytes)
        return found


def _too_long(limit_bytes: Bytes) -> Refused:
    return Refused(Problem(413, f"An image has at most {limit_bytes} bytes."))


class DownloadForm:
    """The file of an image, or one range of it (RFC 9110, 14); what is no such range is ignored."""

    def parse(self, request: HttpRequest, version: Microversion) -> FileWanted:
        found = _RANGE.fullmatch((request.headers.get("Range") or "").strip())
        if found is None or found[0] == "bytes=-":
            return FileWanted(image_id(request))
        first, last = found[1], found[2]
        if not first:
            # The last 0 bytes are none of it.
            return FileWanted(image_id(request), -int(last) or _BEYOND, None, part=True)
        if last and int(last) < int(first):
            return FileWanted(image_id(request))
        end = int(last) if last else None
        return FileWanted(image_id(request), int(first), end, part=True)

    def render(self, output: OpenedFile, version: Microversion) -> Answer:
        wanted, size = output.wanted, output.size_bytes
        first = max(0, size + wanted.first) if wanted.first < 0 else wanted.first
        last = size - 1 if wanted.last is None else min(wanted.last, size - 1)
        if first > last:  # only of a part: a file has at least one byte
            output.file.close()
            bounds = (("content-range", f"bytes */{size}"),)
            raise Refused(Problem(416, f"The image has {size} bytes.", headers=bounds))
        return _part(output, first, last)


def _part(output: OpenedFile, first: int, last: int) -> Answer:
    record, size = output.kept.record, output.size_bytes
    headers = [("accept-ranges", "bytes")]
    if output.wanted.part:
        headers.append(("content-range", f"bytes {first}-{last}/{size}"))
    elif record.md5:
        headers.append(("content-md5", record.md5))
    output.file.seek(first)
    return Answer(
        206 if output.wanted.part else 200,
        media_type=OCTETS,
        headers=tuple(headers),
        part=FilePart(output.file, last - first + 1),
    )

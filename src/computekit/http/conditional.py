"""Conditional GET: an answer that the caller has already is not sent again (RFC 9110, 13)."""

import hashlib

import attrs

from computekit.http.wire import Answer, Headers

__all__ = ["conditional"]

FREE = 16 * 1024
"""Bodies up to this many bytes always get an entity tag; hashing one costs some microseconds."""


def conditional(answer: Answer, headers: Headers) -> Answer:
    """Return `answer` with its entity tag, or 304 if `If-None-Match` names that tag.

    A long answer is hashed only for who sends `If-None-Match`, with any value the first time:
    nobody else pays for it.
    """
    known = headers.get("If-None-Match")
    if answer.status != 200 or (known is None and len(answer.body) > FREE):
        return answer
    tag = f'"{hashlib.sha1(answer.body, usedforsecurity=False).hexdigest()}"'
    tagged = attrs.evolve(answer, headers=(*answer.headers, ("etag", tag)))
    if known is None or not _names(known, tag):
        return tagged
    return attrs.evolve(tagged, status=304, body=b"")


def _names(known: str, tag: str) -> bool:
    return known.strip() == "*" or any(
        part.strip().removeprefix("W/") == tag for part in known.split(",")
    )

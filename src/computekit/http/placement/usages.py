"""What projects hold, on the wire."""

import msgspec

from computekit.api import Microversion
from computekit.api.placement.allocations import ALL, UsageQuery, Usages
from computekit.clock import Clock
from computekit.http.placement.query import TEXT_255, QuerySchema, version_table
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import ProjectId, UserId

__all__ = ["UsagesForm"]

_WHOSE = {"project_id": TEXT_255, "user_id": TEXT_255}
_TYPE = {**TEXT_255, "pattern": "^[A-Z0-9_]+$|^all|^unknown$"}
USAGES_QUERY = version_table(
    {
        9: QuerySchema(_WHOSE, ("project_id",)),
        38: QuerySchema({**_WHOSE, "consumer_type": _TYPE}, ("project_id",)),
    }
)


class UsagesForm:
    """What a project holds; by type of consumer since 1.38."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def parse(self, request: HttpRequest, version: Microversion) -> UsageQuery:
        last = USAGES_QUERY[version.minor].parse(request.query).last
        user = last.get("user_id")
        return UsageQuery(
            ProjectId(last["project_id"]),
            None if user is None else UserId(user),
            last.get("consumer_type") if version.minor >= 38 else ALL,
        )

    def render(self, output: Usages, version: Microversion) -> Answer:
        said: dict[str, object] = {}
        for label, usage in output.by_label.items():
            if version.minor < 38:
                said.update(usage.resources.items())
            else:
                said[label] = dict([*usage.resources.items(), ("consumer_count", usage.consumers)])
        body = msgspec.json.encode({"usages": said})
        return Answer(200, body, modified_s=self._clock.wall_s())

"""Who writes to a provider that is not there learns that first, whatever else is wrong."""

from typing import Generic, TypeVar

from computekit.api import Microversion
from computekit.api.placement import Hosted
from computekit.http.endpoint import Form
from computekit.http.placement.providers import provider_of
from computekit.http.problem import Problem, Refused
from computekit.http.wire import Answer, HttpRequest

__all__ = ["ProviderFirst"]

In = TypeVar("In")
Out = TypeVar("Out")


class ProviderFirst(Generic[In, Out]):
    """A form whose complaints about a body give way to a provider that is missing.

    Args:
        form: what it does otherwise.
        placement: knows which providers there are.
    """

    def __init__(self, form: Form[In, Out], placement: Hosted) -> None:
        self._form = form
        self._placement = placement

    def parse(self, request: HttpRequest, version: Microversion) -> In:
        try:
            return self._form.parse(request, version)
        except Refused:
            provider = provider_of(request)
            if self._placement.books.provider(provider) is None:
                detail = f"No resource provider with uuid {provider} found"
                raise Refused(Problem(404, detail, varies=False)) from None
            raise

    def render(self, output: Out, version: Microversion) -> Answer:
        return self._form.render(output, version)

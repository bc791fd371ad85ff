from collections.abc import Iterable, Mapping

from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

class AuthProtocol:
    def __init__(self, app: WSGIApplication, conf: Mapping[str, str]) -> None: ...
    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]: ...

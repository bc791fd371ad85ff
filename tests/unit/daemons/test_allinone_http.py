"""An all-in-one that listens: where it says, for whom it is told to, until it is to end."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from computekit_daemons.allinone import AllInOne
from computekit_daemons.allinone_http import Front


@contextmanager
def running(directory: Path, auth: str) -> Iterator[str]:
    stop, ready = threading.Event(), threading.Event()
    urls: list[str] = []

    def announce(url: str) -> None:
        urls.append(url)
        ready.set()

    service = AllInOne(directory, fake=1, front=Front("127.0.0.1", 0, auth))
    thread = threading.Thread(target=service.serve, args=(stop, announce))
    thread.start()
    try:
        assert ready.wait(60)
        yield urls[0]
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def get(url: str, **headers: str) -> Any:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    with urllib.request.urlopen(urllib.request.Request(url, headers=fields), timeout=30) as reply:
        return json.load(reply)


def test_everybody_on_this_machine_is_believed_without_auth(tmp_path: Path) -> None:
    with running(tmp_path / "state", "none") as url:
        said = json.loads((tmp_path / "state" / "clouds.yaml").read_text())["clouds"]["computekit"]
        assert said["compute_endpoint_override"] == f"{url}/compute/v2.1"
        assert get(f"{url}/compute/v2.1")["version"]["version"] == "2.104"
        assert get(f"{url}/compute/v2.1/servers") == {"servers": []}
        assert get(f"{url}/compute/openapi.json")["openapi"] == "3.1.0"


def test_a_token_is_asked_for_where_that_was_said(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running(state, "token") as url:
        clouds = json.loads((state / "clouds.yaml").read_text())["clouds"]["computekit"]
        assert (state / "clouds.yaml").stat().st_mode & 0o077 == 0
        token = clouds["auth"]["token"]
        assert get(f"{url}/compute/v2.1/servers", x_auth_token=token) == {"servers": []}
        for wrong in ({}, {"x_auth_token": token[:-1]}):
            with pytest.raises(urllib.error.HTTPError) as refused:
                get(f"{url}/compute/v2.1/servers", **wrong)
            assert refused.value.code == 401
            assert "unauthorized" in json.load(refused.value)
        assert "version" in get(f"{url}/compute/v2.1/")

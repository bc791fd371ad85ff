"""Workers end what they have begun, and take nobody's place."""

import http.client
import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

from computekit.http import free_port

TIMEOUT_S = 60

# An application whose answer waits until a file is there.
PROGRAM = """
import pathlib, sys, time
from computekit.http import Workers

arrived, release = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])

def application(environ, start):
    if environ["PATH_INFO"] == "/slow":
        arrived.touch()
        while not release.exists():
            time.sleep(0.01)
    start("200 OK", [("Content-Length", "4")])
    return [b"done"]

workers = Workers(lambda: application, "127.0.0.1", int(sys.argv[1]), 2)
workers.serve(lambda: print("ready", flush=True))
"""


def test_what_is_under_way_is_answered_before_the_end(tmp_path: Path) -> None:
    arrived, release = tmp_path / "arrived", tmp_path / "release"
    port = free_port("127.0.0.1", 0)
    answers: list[bytes] = []

    def ask() -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)) as caller:
            caller.request("GET", "/slow")
            answers.append(caller.getresponse().read())

    command = (sys.executable, "-c", PROGRAM, str(port), str(arrived), str(release))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        asking = threading.Thread(target=ask)
        asking.start()
        while not arrived.exists():
            assert process.poll() is None
            os.sched_yield()
        process.send_signal(signal.SIGTERM)
        release.touch()
        asking.join(TIMEOUT_S)
        assert process.wait(TIMEOUT_S) == 0
    assert answers == [b"done"]

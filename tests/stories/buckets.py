"""An S3 server in this process, one for all tests of a session, with a bucket for whoever asks."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple


class Buckets(NamedTuple):
    """A server at ``url``; ``env`` is what a process needs to use it."""

    url: str
    env: Mapping[str, str]
    numbers: count[int]

    def make(self) -> str:
        """A new bucket, as ``state`` names it."""
        name = f"bucket-{next(self.numbers)}"
        request = urllib.request.Request(f"{self.url}/{name}", method="PUT")
        with urllib.request.urlopen(request, timeout=30):
            return f"s3://{name}"


def buckets_at(url: str, key: str = "a-key", secret: str = "a-secret") -> Buckets:
    names = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": "us-east-1"}
    return Buckets(url, {"AWS_ENDPOINT_URL": url, **names}, count())


@contextmanager
def serving_buckets() -> Iterator[Buckets]:
    """moto's server on a free port of loopback."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield buckets_at(f"http://{host}:{port}")
    finally:
        server.stop()

"""An S3 server in this process, one for all tests of a module, with a bucket for whoever asks."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from obstore.store import ObjectStore


class Buckets(NamedTuple):
    """A server at ``url``; ``env`` is what a process needs to use it."""

    url: str
    env: Mapping[str, str]
    numbers: count[int]

    def make(self) -> str:
        """A new bucket, as ``state`` names it."""
        import boto3

        name = f"bucket-{next(self.numbers)}"
        client = boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
            region_name=self.env["AWS_REGION"],
        )
        client.create_bucket(Bucket=name)
        client.close()
        return f"s3://{name}"

    def opened(self, bucket: str) -> ObjectStore:
        """A bucket that was made, for looking into it."""
        return opened(bucket, self.env)


def opened(bucket: str, env: Mapping[str, str]) -> ObjectStore:
    """A bucket by its URL, with the variables that a process would have."""
    from obstore.store import from_url

    config: Any = {name.lower(): value for name, value in env.items()}
    return from_url(bucket, config=config, client_options={"allow_http": True})


def buckets_at(url: str, key: str = "a-key", secret: str = "a-secret") -> Buckets:
    names = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": "us-east-1"}
    return Buckets(url, {"AWS_ENDPOINT_URL": url, **names}, count())


@contextmanager
def serving_buckets() -> Iterator[Buckets]:
    """moto's server on a free port of loopback. One request at a time: moto compares and writes in two steps."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield buckets_at(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

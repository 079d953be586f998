"""An S3 server in this process, one for all tests of a module, with a bucket for each test that asks for one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from obstore.store import ObjectStore


class Buckets(NamedTuple):
    """A server at ``url``; ``env`` is what a process needs to use it.

    ``make`` makes a bucket, and gives it as ``state`` names it.
    """

    url: str
    env: Mapping[str, str]
    make: Callable[[], str]

    def opened(self, bucket: str) -> ObjectStore:
        """A bucket, to look into it."""
        from obstore.store import from_url

        config: Any = {name.lower(): value for name, value in self.env.items()}
        return from_url(bucket, config=config, client_options={"allow_http": True})


def buckets_at(url: str, key: str = "a-key", secret: str = "a-secret") -> Buckets:
    """The buckets of an S3 server."""
    names = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": "us-east-1"}
    numbers = count()

    def make() -> str:
        import boto3

        name = f"bucket-{next(numbers)}"
        client = boto3.client(
            "s3", endpoint_url=url, aws_access_key_id=key, aws_secret_access_key=secret, region_name=names["AWS_REGION"]
        )
        client.create_bucket(Bucket=name)
        client.close()
        return f"s3://{name}"

    return Buckets(url, {"AWS_ENDPOINT_URL": url, **names}, make)


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

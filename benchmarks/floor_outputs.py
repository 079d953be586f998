"""The floor of `outputs`: ask for the outputs of each analysis of a lockfile, four at a time, and parse the answers.

``python floor_outputs.py URL LOCKFILE``
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import requests

V3 = "application/vnd.illumina.v3+json"


def main(url: str, lockfile: str) -> None:
    locked = orjson.loads(Path(lockfile).read_bytes())
    base = f"{url}/ica/rest/api/projects/{locked['project']}/analyses"
    ids = [item["analysis"]["id"] for item in locked["items"].values()]
    with requests.Session() as session, ThreadPoolExecutor(4) as pool:
        session.headers.update({"X-API-Key": "0123456789abcdef", "Accept": V3})
        found = list(pool.map(lambda each: orjson.loads(session.get(f"{base}/{each}/outputs").content), ids))
    assert all(each["items"] for each in found)


if __name__ == "__main__":
    main(*sys.argv[1:])

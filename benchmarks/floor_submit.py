"""The floor of submitting: the same bytes POSTed and the items' pages read through one session. Nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import requests

PROJECT = "7595e8f2-32d3-4c76-a324-c6a85dae87b5"
V3 = "application/vnd.illumina.v3+json"
V4 = "application/vnd.illumina.v4+json"


def main(url: str, bodies: str) -> None:
    """``bodies`` is a file of lines, in turn the key and the body of a batch."""
    batches = f"{url}/ica/rest/api/projects/{PROJECT}/analysisCreationBatch"
    ids = []
    with requests.Session() as session, Path(bodies).open("rb") as lines:
        session.headers["X-API-Key"] = "benchmark"
        for key in lines:
            headers = {"Idempotency-Key": key.decode().strip(), "Content-Type": V3, "Accept": V3}
            answer = session.post(batches, data=next(lines).rstrip(b"\n"), headers=headers)
            answer.raise_for_status()
            ids.append(answer.json()["id"])
        for batch in ids:
            page = session.get(f"{batches}/{batch}/items", params={"pageSize": "1000"}, headers={"Accept": V4})
            page.raise_for_status()
            page.json()


if __name__ == "__main__":
    main(*sys.argv[1:])

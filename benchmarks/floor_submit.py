"""The floor of submitting: the same bytes POSTed, the items' pages and those of a search read. Nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import requests

PROJECT = "7595e8f2-32d3-4c76-a324-c6a85dae87b5"
V3 = "application/vnd.illumina.v3+json"
NAME_STAMP = "manifest-runner-name:germline-benchmark"
V4 = "application/vnd.illumina.v4+json"


def main(url: str, bodies: str) -> None:
    """Lines of the file ``bodies`` are, in turn, the key and the body of a batch."""
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
        _search(session, f"{url}/ica/rest/api/projects/{PROJECT}/analysis:search")


def _search(session: requests.Session, at: str) -> None:
    """Read all analyses of the manifest, page by page, as the search that follows a launch does."""
    body = {"technicalTags": [NAME_STAMP]}
    token: str | None = ""
    while token is not None:
        parameters = {"pageSize": "1000", **({"pageToken": token} if token else {})}
        page = session.post(at, json=body, params=parameters, headers={"Content-Type": V3, "Accept": V3})
        page.raise_for_status()
        token = page.json().get("nextPageToken") or None


if __name__ == "__main__":
    main(*sys.argv[1:])

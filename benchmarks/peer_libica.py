"""libica's models on the same work: each row built as a CreateNextflowAnalysis and serialised."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from libica.openapi.v3.models import CreateNextflowAnalysis

from benchmarks.floor_render import item


def main(path: str) -> None:
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        status = next(rows).index("status")
        for cells in rows:
            if cells[status] == "ready":
                analysis = CreateNextflowAnalysis.from_dict(item(cells))
                assert analysis is not None
                analysis.to_json()


if __name__ == "__main__":
    main(sys.argv[1])

"""A folder with a manifest and its samplesheets, expanded to items; and the least that an analysis may be."""

from __future__ import annotations

from manifest_runner.items.load import load

HEAD = """\
manifest: 1
name: study
project: 7595e8f2-32d3-4c76-a324-c6a85dae87b5
defaults: {pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8, analysisInput: {inputs: []}}
analyses:
"""
PER_ROW = """\
  - kind: nextflow
    forEach: {csv: samples.csv}
    userReference: "{{ row.sample }}"
"""


class Study:
    """A folder with a manifest and its samplesheets."""

    def __init__(self, folder):
        self.folder = folder

    def sheet(self, text, name="samples.csv"):
        (self.folder / name).write_text(text, encoding="utf-8")

    def expand(self, analyses, head=HEAD):
        """All items, and the findings."""
        loaded = self.loaded(analyses, head)
        items = list(loaded.stream.items())
        return items, loaded.findings.all()

    def loaded(self, analyses, head=HEAD):
        path = self.folder / "study.yaml"
        path.write_text(head + analyses, encoding="utf-8")
        return load(path, env={})

    def references(self, analyses):
        items, findings = self.expand(analyses)
        assert not findings
        return [item.user_reference for item in items]


def lines(findings, code):
    return [finding.row.line for finding in findings if finding.code == code]

"""Signed URLs reach ICA unharmed, and nothing of a signature is in any file or message afterwards."""

from __future__ import annotations

import stat
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from studies import change

MANIFEST = """\
manifest: 1
name: study
project: 7595e8f2-32d3-4c76-a324-c6a85dae87b5
analyses:
  - kind: nextflow
    forEach: {csv: study.csv}
    userReference: "{{ row.sample }}"
    pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8
    analysisInput:
      inputs:
        reads: {externalData: [{url: "{{ row.url }}", type: http}]}
"""
SIGNED = "https://bucket.s3.amazonaws.com/a%20b/R1.fastq.gz?versionId=7&X-Amz-Credential=AKIASECRET&X-Amz-Signature={}"


def write(cli, signature: str) -> None:
    cli.write("study.yaml", MANIFEST)
    cli.write("study.csv", f"sample,url\nalpha,{SIGNED.format(signature)}\n")


def shown_in(cli, *words: str) -> list[str]:
    """The files that hold one of the words, but for the samplesheet."""
    files = [path for path in cli.folder.rglob("*") if path.is_file() and path.name != "study.csv"]
    return [path.name for path in files if any(word.encode() in path.read_bytes() for word in words)]


@pytest.fixture(name="lossy")
def _lossy():
    """A server that answers nothing to a POST of a batch and keeps its body."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path.endswith("analysisCreationBatch"):
                bodies.append(body)
            self.send_response(503 if self.path.endswith("analysisCreationBatch") else 404)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", bodies
        server.shutdown()
        thread.join()


def test_the_real_bytes_are_sent_and_only_the_journal_has_them_for_its_owner_alone(cli, lossy):
    url, bodies = lossy
    write(cli, "s1gnature")
    ended = cli("run", "study.yaml", "--no-check", "--adopt", "never", "--timeout", "3", ICAV2_SERVER_URL=url)
    assert ended.code == 5
    assert SIGNED.format("s1gnature").encode() in bodies[0]
    assert shown_in(cli, "s1gnature", "AKIASECRET") == ["study.journal"]
    assert stat.S_IMODE((cli.folder / "study.journal").stat().st_mode) == 0o600
    assert "s1gnature" not in ended.out + ended.err


def test_a_settled_run_leaves_no_signature_and_signing_again_is_not_a_change(cli, emulator):
    write(cli, "s1gnature")
    out = cli.ok("render", "study.yaml").out
    assert ("versionId=7" in out, "s1gnature" in out, "AKIASECRET" in out) == (True, False, False)
    cli.ok("run", "study.yaml")
    write(cli, "0ther")
    assert cli.ok("plan", "study.yaml", "--json").json["unchanged"] == ["alpha"]
    cli.ok("run", "study.yaml")
    change(cli, "versionId=7", "versionId=8", "study.csv")
    planned = cli("plan", "study.yaml", "--verbose")
    assert "versionId=7&X-Amz-Credential=*" in planned.out
    cli.ok("report", "study.yaml", "-o", "report.html")
    assert "0ther" not in planned.out + planned.err
    assert shown_in(cli, "s1gnature", "0ther", "AKIASECRET") == []
    assert emulator.executed() == ["alpha"]


def test_a_message_about_a_signed_url_shows_no_signature(cli):
    write(cli, "s1gnature")
    change(cli, 'reads: {externalData: [{url: "{{ row.url }}", type: http}]}', 'reads: "{{ row.url }} {{ row.lost }}"')
    change(cli, "{{ row.sample }}", "{{ row.url }}")
    for style in ("text", "json", "github", "sarif"):
        checked = cli("validate", "study.yaml", "--format", style)
        assert (checked.code, "s1gnature" in checked.out + checked.err) == (3, False)
    change(cli, "- kind", "- require: [{that: 'false', else: '{{ row.url }}'}]\n    kind")
    planned = cli("plan", "study.yaml", "--json")
    assert (planned.code, "MR313" in planned.out, "s1gnature" in planned.out + planned.err) == (3, True, False)

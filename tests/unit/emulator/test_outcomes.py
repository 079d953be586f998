"""The outcome of an analysis: outputs, steps, logs, reports and the price, made up or by the rules of a catalog."""

from __future__ import annotations

import json

import pytest

V3 = "application/vnd.illumina.v3+json"
FULL = {"filePathMatchMode": "FULL_CASE_INSENSITIVE"}

RULES = """
pipelines:
  - {code: germline, id: f606f580-d476-47a8-9679-9ddb39fcb0a8}
  - {code: other, id: 11111111-2222-4333-8444-555555555555}
analyses:
  - userReference: ^killed
    pipeline: germline
    outcome: failed
    summary: A step ran out of memory.
    steps:
      - {name: prepare, technical: true, exitCode: 0}
      - {name: "workflow#dragen", status: FAILED, exitCode: 137, stderr: "{userReference}\\nKilled\\n"}
  - {userReference: ^killed, summary: never}
  - {userReference: ^flaky, times: 2, outcome: failed, duration: 1}
  - {userReference: ^nobody, outcome: aborted, summary: The tenant has no credit left.}
  - {userReference: ^refused, outcome: notCreated, summary: The reference is not available.}
  - {userReference: ^free, price: null}
  - userReference: .
    price: 12.5
    duration: 4
    outputs:
      cram: ["out/{userReference}.cram", {path: "out/{userReference}.cram.crai", size: 7}]
      empty: [nothing/]
      vcf: [{path: calls.vcf, text: "##{userReference}"}]
"""


def analyses(client, *references, **more):
    """Create such analyses, let them end, and give them by userReference."""
    client.create(*references, **more)
    return found(client)


def found(client):
    return {each["userReference"]: each for each in client.search().json()["items"]}


def get(client, analysis, part):
    return client.get(f"analyses/{analysis['id']}/{part}", accept=V3)


@pytest.fixture(name="by_rules", scope="module")
def _by_rules(serve):
    return serve(RULES, creation_delay=0.0)


@pytest.fixture(name="rules")
def _rules(by_rules, connect):
    return connect(by_rules)


@pytest.fixture(name="without", scope="module")
def _without(serve):
    return serve("", creation_delay=0.0, fail_analysis="^bad")


@pytest.fixture(name="made_up")
def _made_up(without, connect):
    return connect(without)


@pytest.fixture(name="checking", scope="module")
def _checking(serve):
    return serve(CHECKED, creation_delay=0.0)


@pytest.fixture(name="checked")
def _checked(checking, connect):
    return connect(checking)


def test_an_analysis_follows_the_first_rule_that_fits(rules, clock):
    rules.create("killed-1", "nobody", "one")
    rules.create("killed-2", pipelineId="11111111-2222-4333-8444-555555555555")
    clock.advance(9)
    seen = {name: (each["status"], each["summary"]) for name, each in found(rules).items()}
    assert seen == {
        "killed-1": ("FAILED", "A step ran out of memory."),
        "killed-2": ("SUCCEEDED", None),
        "nobody": ("ABORTED", "The tenant has no credit left."),
        "one": ("SUCCEEDED", None),
    }


def test_a_creation_fails_by_a_rule_with_its_reason(rules):
    (item,) = rules.items(rules.create("refused"))["items"]
    assert item["processing"] == {
        "status": "FAILED", "additionalStatusInformation": "The reference is not available.",
    }  # fmt: skip


def test_a_rule_can_be_for_the_first_launches_alone(rules, clock):
    for _ in range(3):
        rules.create("flaky")
        clock.advance(5)
    assert [each["status"] for each in rules.search(sort="startDate").json()["items"]] == [
        "FAILED",
        "FAILED",
        "SUCCEEDED",
    ]


def test_an_analysis_lasts_as_long_as_its_rule_says(rules, clock):
    rules.create("one", "nobody")
    clock.advance(4)
    assert rules.found(status=["SUCCEEDED"]) == ["one"]


def test_outputs_are_listed_by_code_with_what_is_in_their_folders(rules, clock):
    rules.create("S1")
    (analysis,) = found(rules).values()
    assert get(rules, analysis, "outputs").json() == {"items": []}
    clock.advance(4)
    outputs = get(rules, analysis, "outputs").json()["items"]
    trees = {each["code"]: tree(each["data"]) for each in outputs}
    assert trees == {
        "cram": {"out": {"S1.cram": None, "S1.cram.crai": None}},
        "empty": {"nothing": {}},
        "vcf": {"calls.vcf": None},
    }
    assert {each["projectId"] for each in outputs} == {rules.project}


def tree(data):
    return {each["name"]: tree(each["children"]) if each["dataType"] == "FOLDER" else None for each in data}


def test_outputs_are_data_of_the_project_like_any_other(rules, clock):
    rules.create("S1")
    clock.advance(4)
    (analysis,) = found(rules).values()
    outputs = get(rules, analysis, "outputs").json()["items"]
    folder = outputs[0]["data"][0]["dataId"]
    home = f"/ilmn-analyses/{analysis['reference']}/"
    inside = [f"{home}out/S1.cram", f"{home}out/S1.cram.crai"]
    assert rules.paths(id=folder) == [f"{home}out/"]
    assert rules.paths(parentFolderId=folder) == rules.paths(parentFolderPath=f"{home}out/") == inside
    assert rules.paths(filePath=f"{home}out/", type="FILE") == inside
    assert rules.paths(filePath=f"{home}calls.vcf", **FULL) == [f"{home}calls.vcf"]
    assert len(rules.paths(analysisId=analysis["id"], type="FILE")) == 9
    (row,) = rules.listed("data", id=outputs[2]["data"][0]["dataId"])
    details = row["data"]["details"]
    assert (details["fileSizeInBytes"], details["sourceAnalysisId"]) == (len("##S1"), analysis["id"])


def test_steps_show_what_failed_and_where_its_log_is(rules, clock):
    rules.create("killed")
    clock.advance(9)
    (analysis,) = found(rules).values()
    prepare, dragen = get(rules, analysis, "steps").json()["items"]
    assert (prepare["status"], prepare["technical"], prepare["logs"].get("stdErrData")) == ("DONE", True, None)
    assert (dragen["name"], dragen["status"], dragen["exitCode"]) == ("workflow#dragen", "FAILED", 137)
    log = dragen["logs"]["stdErrData"]
    assert rules.paths(id=log["id"]) == [log["details"]["path"]]
    folder = get(rules, analysis, "logs").json()["logsFolder"]
    assert rules.paths(parentFolderId=folder["id"]) == [log["details"]["path"]]


def test_steps_wait_run_and_are_done_as_their_analysis_is(made_up, clock):
    made_up.create("one")
    (analysis,) = found(made_up).values()
    seen = []
    for _ in range(3):
        steps = get(made_up, analysis, "steps").json()["items"]
        seen.append([each["status"] for each in steps])
        clock.advance(4)
    assert seen == [["WAITING"] * 3, ["RUNNING", "WAITING", "WAITING"], ["DONE"] * 3]
    assert steps[0]["startDate"] < steps[2]["endDate"]


def test_a_running_step_has_streams_and_no_files(made_up, clock):
    made_up.create("one")
    clock.advance(4)
    (analysis,) = found(made_up).values()
    logs = get(made_up, analysis, "steps").json()["items"][0]["logs"]
    assert logs["stdErrStream"].startswith("wss://")
    assert "stdErrData" not in logs


def test_without_a_rule_failures_are_of_three_kinds(made_up, clock):
    made_up.create(*(f"bad-{number}" for number in range(9)))
    clock.advance(8)
    failed = [
        (step["name"], step["exitCode"])
        for analysis in found(made_up).values()
        for step in get(made_up, analysis, "steps").json()["items"]
        if step["status"] == "FAILED"
    ]
    assert len(failed) == 9
    assert set(failed) == {("align", 137), ("call_variants", 1), ("unpack", 2)}


def test_an_analysis_that_somebody_aborted_has_an_aborted_step_and_no_price(rules, clock):
    rules.create("one")
    (analysis,) = found(rules).values()
    rules.abort(analysis["id"])
    clock.advance(4)
    steps = get(rules, analysis, "steps").json()["items"]
    assert [each["status"] for each in steps] == ["DONE", "ABORTED"]
    assert get(rules, analysis, "outputs").json() == {"items": []}
    assert get(rules, analysis, "usage").status_code == 404


def test_the_price_is_known_some_time_after_the_end(start, clock):
    client = start(catalog=RULES, creation_delay=0.0, usage_delay=60)
    client.create("one", "free")
    clock.advance(63)
    one, free = (found(client)[name] for name in ("one", "free"))
    early = get(client, one, "usage").status_code
    clock.advance(10)
    assert (early, get(client, free, "usage").status_code) == (404, 404)
    assert get(client, one, "usage").json() == {"price": {"amount": 12.5, "currency": "iCredit"}}


def test_what_is_made_up_is_the_same_each_time(made_up, clock, start):
    prices = []
    for client in (made_up, start(creation_delay=0.0, database=made_up.database.with_name("other.db"))):
        client.create("one")
        clock.advance(8)
        (analysis,) = found(client).values()
        prices.append(get(client, analysis, "usage").json())
        assert [each["code"] for each in get(client, analysis, "outputs").json()["items"]] == ["results", "report"]
    assert prices[0] == prices[1]


def test_reports_and_raw_outputs_are_served(made_up, clock):
    made_up.create("one")
    clock.advance(8)
    (analysis,) = found(made_up).values()
    (report,) = get(made_up, analysis, "reports").json()["items"]
    assert report["reportData"][0]["name"] == "report.html"
    assert list(json.loads(get(made_up, analysis, "rawOutput").json()["rawOutput"])) == ["results", "report"]
    assert get(made_up, analysis, "cwl/outputJson").status_code == 404


SAMPLE = "7595e8f2-32d3-4c76-a324-c6a85dae87b5"


def form_item(reference):
    fields = [{"id": "name", "values": ["x"]}, {"id": "sample", "sampleValues": [SAMPLE]}]
    return {"userReference": reference, "pipelineId": SAMPLE, "inputFormValues": {"fields": fields}}


def test_an_input_form_names_samples_and_is_found_by_them(made_up):
    made_up.post({"nextflowJsonItems": [form_item("form")], "cwlItems": [cwl_item("cwl")]})
    assert made_up.found() == ["cwl", "form"]
    assert made_up.found(sampleIds=[SAMPLE]) == ["form"]
    assert made_up.found(sampleIds=[SAMPLE.replace("7", "8")]) == []
    form = found(made_up)["form"]
    values = made_up.get(f"analyses/{form['id']}/inputFormValues").json()["items"]
    assert values[0] == {"id": "name", "values": ["x"]}


def cwl_item(reference):
    given = {"objectType": "JSON", "inputJson": "{}"}
    return {"userReference": reference, "pipelineId": "urn:x", "analysisInput": given}


def test_analyses_are_found_by_the_names_and_ids_of_their_pipelines(rules):
    germline = "f606f580-d476-47a8-9679-9ddb39fcb0a8"
    other = "11111111-2222-4333-8444-555555555555"
    rules.create("one", pipelineId=f"urn:ilmn:ica:pipeline:{germline}#germline")
    rules.create("two", pipelineId=other)
    assert (
        rules.found(pipelineNames=["germline", "unknown"]) == rules.found(pipelineUUIDs=[germline.upper()]) == ["one"]
    )
    assert rules.found(pipelineUUIDs=[germline, other]) == ["one", "two"]
    assert rules.found(pipelineNames=["unknown"]) == []
    assert rules.search({"pipelineNames": ["x"] * 21}).status_code == 400


def mapping(source, target, project):
    return {"sourcePath": source, "targetPath": target, "targetProjectId": project}


def test_outputs_go_where_the_request_sends_them(rules, clock):
    theirs = "7595e8f2-32d3-4c76-a324-c6a85dae87b5"
    mine = mapping("out", "/germline/S1/", rules.project)
    rules.create("S1", analysisOutput=[mine, mapping("calls.vcf", "/calls/", theirs)])
    clock.advance(4)
    (analysis,) = found(rules).values()
    cram, empty, vcf = get(rules, analysis, "outputs").json()["items"]
    inside = ["/germline/S1/S1.cram", "/germline/S1/S1.cram.crai"]
    assert rules.paths(parentFolderId=cram["data"][0]["dataId"]) == inside
    assert rules.paths(filePath="/germline/", type="FILE") == rules.paths(parentFolderPath="/germline/S1/") == inside
    assert rules.paths(filePath="/germline/S1/S1.cram", **FULL) == inside[:1]
    assert rules.paths(parentFolderPath="/germline/") == ["/germline/S1/"]
    assert (empty["projectId"], vcf["projectId"]) == (rules.project, theirs)
    assert rules.paths(id=vcf["data"][0]["dataId"]) == ["/" + vcf["data"][0]["dataId"]]
    rules.project = theirs
    assert (
        rules.paths(id=vcf["data"][0]["dataId"]) == rules.paths(filePath="/calls/", type="FILE") == ["/calls/calls.vcf"]
    )


def test_made_up_outputs_follow_the_request_and_its_folder(made_up, clock):
    (folder,) = made_up.listed("data", filePath="/results", **FULL)
    parent = {"outputParentFolderId": folder["data"]["id"]}
    made_up.create("S1", analysisOutput=[mapping("out/", "/there", made_up.project)])
    made_up.create("S2", **parent)
    clock.advance(8)
    assert made_up.paths(filePath="/there/", type="FILE") == ["/there/metrics.csv", "/there/S1.vcf.gz"]
    (report,) = made_up.listed("data", analysisId=found(made_up)["S2"]["id"], filename="report.html")
    path = report["data"]["details"]["path"]
    assert path == f"/results/{found(made_up)['S2']['reference']}/report.html"
    assert made_up.listed("data", filePath=path, **FULL) == [report]


def test_the_folder_can_be_an_id_that_nobody_has_looked_up(made_up, clock):
    made_up.create("S1", outputParentFolderId="fol.unknown")
    clock.advance(8)
    (report,) = made_up.listed("data", analysisId=found(made_up)["S1"]["id"], filename="report.html")
    assert report["data"]["details"]["path"].startswith("/fol.unknown/S1-")


CHECKED = """
pipelines:
  - code: germline
    id: f606f580-d476-47a8-9679-9ddb39fcb0a8
    inputs: [{code: reads, required: true}]
    parameters: [{code: sex, required: true}, {code: depth, required: true, default: 30}]
  - {code: free, id: 11111111-2222-4333-8444-555555555555}
  - {code: old, id: 11111111-2222-4333-8444-666666666666, status: Archived}
data:
  - {path: /good, id: fil.good}
  - {path: /part, id: fil.part, status: PARTIAL}
"""
FREE = {"pipelineId": "11111111-2222-4333-8444-555555555555"}


def reads(data, *, code="reads", parameters=({"code": "sex", "value": "F"},)):
    given = [{"parameterCode": code, "dataIds": [data]}]
    return {"analysisInput": {"inputs": given, "parameters": [*parameters]}}


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (reads("fil.good"), None),
        (reads("urn:ilmn:ica:region:r:data:fil.good#/good"), None),
        ({**reads("fil.good", code="anything"), **FREE}, None),
        (reads("fil.part"), "Data found for parameter reads, but status is Partial instead of Available."),
        (reads("fil.gone"), "Data fil.gone for parameter reads was not found."),
        (reads("fil.good", code="readss"), "There is no input readss. The input reads is required."),
        (reads("fil.good", parameters=[]), "The parameter sex is required."),
        ({"pipelineId": "urn:x"}, "Pipeline urn:x was not found."),
        ({"pipelineId": "11111111-2222-4333-8444-666666666666"}, "Pipeline old is archived."),
    ],
)
def test_what_a_catalog_does_not_have_fails_the_creation(checked, request_, reason):
    (item,) = checked.items(checked.create("one", **request_))["items"]
    assert item["processing"]["additionalStatusInformation"] == reason


def test_data_of_another_project_is_accepted(start):
    there = "data: [{path: /a, id: fil.a, project: there}]"
    client = start(catalog=f"projects: [{{name: here}}, {{name: there}}]\n{there}", creation_delay=0.0)
    (here, _) = client.session.get(f"{client.api}/projects").json()["items"]
    client.project = here["id"]
    (item,) = client.items(client.create("one", **reads("fil.a")))["items"]
    assert item["processing"]["status"] == "SUCCEEDED"


def test_outputs_of_an_analysis_are_inputs_of_the_next(checked, clock):
    checked.create("one", **reads("fil.good"))
    clock.advance(8)
    (row,) = checked.listed("data", analysisId=found(checked)["one"]["id"], filename="one.vcf.gz")
    (item,) = checked.items(checked.create("two", **reads(row["data"]["id"])))["items"]
    assert item["processing"]["status"] == "SUCCEEDED"

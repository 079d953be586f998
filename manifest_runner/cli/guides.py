"""What ``--help`` says beneath the options: enough to find the way without any other page."""

from __future__ import annotations

APP = """\b
First steps:
  manifest-runner init germline.yaml              a manifest and a samplesheet to start from
  manifest-runner validate germline.yaml          what is wrong, each with its line
  manifest-runner plan germline.yaml              what would be launched, and what changed
  manifest-runner run germline.yaml --emulator    try it without ICA
  manifest-runner run germline.yaml               launch it; then commit germline.lock.json
  manifest-runner status germline.yaml --watch    how it goes

\b
Completion in the shell (zsh_source and fish_source for the others):
  eval "$(_MANIFEST_RUNNER_COMPLETE=bash_source manifest-runner)"
"""

RUN = """\b
An item that ...
  is new                     is launched.
  was launched as it is now  is left alone, so the command is safe to repeat, also after ^C.
  changed since              stops the run before anything is sent, until that is approved: with
                             --relaunch-changed, with yes at the prompt, or with a raised
                             `revision` in the manifest.
  failed                     stays so until --retry-failed. One that was never created is also
                             launched when its row or the manifest is mended.
  left the manifest          stays in the lockfile, as removed.

\b
Examples:
  manifest-runner run germline.yaml --limit 3          the first three, to try before the rest
  manifest-runner run germline.yaml --target 'NA12*'   some items
  manifest-runner run germline.yaml --wait finished    until every analysis has ended
  manifest-runner run one.yaml two.yaml                each with its own lockfile

\b
Exit codes: 0 all is well, 1 some items failed, 2 wrong use, 3 the manifest is invalid,
4 ICA refused, 5 ICA was not reached or took too long (safe to repeat), 6 the lockfile is
damaged or in use, 7 approval is needed, 8 --locked and not all is launched, 130 broken off.
"""

PLAN = """\b
+ new, ~ changed (with the fields that did), = unchanged, ! failed, - left the manifest,
? sent without an answer. The options are those of run, so that the same choice can be looked at
before it is launched. In CI: --detailed-exitcode ends with 8 when there is something to launch.
"""

STATUS = """\b
Only what can still change is asked for. `run --wait finished` waits, too, and ends with 1 when
an analysis did not succeed; `report` writes the same for other readers.
"""

IMPORT = """\b
Without --batch-id the analyses are found by the stamp that run puts into their technical tags;
items whose creation failed have no analysis, and only come back with their batch.
Afterwards `manifest-runner plan` shows how they stand to the manifest as it is now.
"""

ABORT = """\b
Their number is shown, and without yes at the prompt or --yes nothing happens. An aborted item
counts as failed: `manifest-runner run --retry-failed` launches it again.
"""

REPORT = """\b
  manifest-runner report germline.yaml -o germline.html
  manifest-runner report germline.yaml --format junit -o junit.xml
It shows what the lockfile knows; `manifest-runner status` brings that up to date.
"""

INIT = """\b
The manifest says what to do next. With --from-payload it launches exactly what a body of ICA's
API launches, of a whole batch or of a single analysis: turn its values into templates and its
items into rows of a samplesheet, and `manifest-runner render` shows that they stay the same.
"""

MERGE = """\b
As git's merge driver, once in each clone:
  git config merge.manifest-runner.driver "manifest-runner lock merge %O %A %B"
and in .gitattributes, which is committed:
  *.lock.json merge=manifest-runner

\b
For a conflict that is there already:
  git show :1:study.lock.json > base
  git show :2:study.lock.json > ours
  git show :3:study.lock.json > theirs
  manifest-runner lock merge base ours theirs && mv ours study.lock.json
  git add study.lock.json
"""

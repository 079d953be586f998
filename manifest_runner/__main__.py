"""The command's entry: answers ``--version`` before anything is imported that costs time."""

import gc
import sys

# Rows and launches stay by the hundred thousand, hardly one of them in a cycle. At its usual pace the collector
# walks all of them again and again: a quarter of the time of a large run.
UNCOLLECTED = 200_000


def main() -> None:
    if sys.argv[1:] == ["--version"]:
        from manifest_runner.version import __version__

        sys.stdout.write(f"manifest-runner {__version__}\n")
        return
    gc.set_threshold(UNCOLLECTED, 10, 100)
    from manifest_runner.cli.main import main as command_line

    try:
        command_line()
    finally:
        gc.freeze()  # or the interpreter would look at every object once more before it exits


if __name__ == "__main__":
    main()

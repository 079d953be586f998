"""The command's entry: answers ``--version`` before anything is imported that costs time."""

import sys


def main() -> None:
    if sys.argv[1:] == ["--version"]:
        from manifest_runner import __version__

        sys.stdout.write(f"manifest-runner {__version__}\n")
        return
    from manifest_runner.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()

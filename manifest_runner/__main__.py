"""The entry point of the command. Answers ``--version`` before any slow import."""

import gc
import os
import sys

# Hundreds of thousands of rows stay alive, almost none in reference cycles. At its usual pace the collector walks all
# of them again and again, which takes a quarter of the time of a large run.
UNCOLLECTED = 200_000


def main() -> None:
    if sys.argv[1:] == ["--version"] and sys.stdout:
        from manifest_runner.version import __version__

        try:
            os.write(sys.stdout.fileno(), f"manifest-runner {__version__}\n".encode())
            return
        except OSError:
            pass  # the command line meets it again, and reports it
    import signal  # which imports more than --version needs

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ^C before there is anything to clean up just ends the process
    gc.set_threshold(UNCOLLECTED, 10, 100)
    from manifest_runner.cli.main import main as command_line

    try:
        command_line()
    finally:
        gc.freeze()  # otherwise the interpreter would examine every object once more before it exits


if __name__ == "__main__":
    main()

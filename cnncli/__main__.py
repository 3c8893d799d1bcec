"""The command `cnncli`, and `python -m cnncli`."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import warnings
from collections.abc import Sequence

from cnncli.cli.app import invoke
from cnncli.cli.failures import PIPE_CLOSED, report
from cnncli.cli.streams import flush_stdout, prepare_streams


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; by default with the process's own arguments."""
    prepare_streams()
    if arguments is None:
        _hurry()
    with warnings.catch_warnings():
        # A number that is not finite is reported where it matters, with its place, not as NumPy's warning.
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            code = invoke(sys.argv[1:] if arguments is None else arguments)
            sys.stdout.flush()
        except BrokenPipeError:
            code = PIPE_CLOSED
        except SystemExit as end:
            if not isinstance(end.__context__, BrokenPipeError):  # which rich turns into this
                raise
            code = PIPE_CLOSED
        except (Exception, KeyboardInterrupt) as error:
            code = report(error)
    flush_stdout()
    return code


def _hurry() -> None:
    """What only a process that is all ours may set."""
    # Looking for plug-ins of pydantic means reading what every installed package says of itself.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Loading the libraries makes many objects and no garbage: walking through them again and again, or at the end,
    # where all memory is given back anyhow, would take the collector a twentieth of a short command's time.
    gc.set_threshold(100_000, 20, 20)
    atexit.register(gc.freeze)


if __name__ == "__main__":
    sys.exit(main())

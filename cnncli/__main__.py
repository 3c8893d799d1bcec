"""The command `cnncli`, and `python -m cnncli`."""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Sequence

from cnncli.cli.app import invoke
from cnncli.cli.failures import FAILED, report
from cnncli.cli.streams import flush_stdout, prepare_streams


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; by default with the process's own arguments."""
    prepare_streams()
    # Loading the libraries makes many objects and no garbage: walking through them again and again would take the
    # collector a twentieth of a short command's time.
    gc.set_threshold(50_000, 20, 20)
    with warnings.catch_warnings():
        # A number that is not finite is reported where it matters, with its place, not as NumPy's warning.
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            code = invoke(sys.argv[1:] if arguments is None else arguments)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
            code = FAILED
        except (Exception, KeyboardInterrupt) as error:
            code = report(error)
    flush_stdout()
    return code


if __name__ == "__main__":
    sys.exit(main())

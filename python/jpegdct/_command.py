"""The command ``jpegdct``."""

import signal
import sys

from . import _jpegdct


def main() -> None:
    # The work is done outside of Python, which would only note an interrupt and wait for the end.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_jpegdct.command(["jpegdct", *sys.argv[1:]]))


if __name__ == "__main__":
    main()

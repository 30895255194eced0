"""``python -m jpegdct`` is the command ``jpegdct``."""

from ._command import main

main()

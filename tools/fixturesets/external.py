"""How the sets run programs that are not ours. Everything here needs what tools/make_fixtures installs."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path


def run(*command, stdin=b""):
    """Standard output of a program as bytes; raises if it fails."""
    return subprocess.run([str(part) for part in command], input=stdin, stdout=subprocess.PIPE, check=True).stdout


def version_of(*command):
    """The first non-empty line a program prints about its version, on either stream."""
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return next(line.strip() for line in result.stdout.decode(errors="replace").splitlines() if line.strip())


def imagemagick():
    """The name of a command that really is ImageMagick's convert."""
    for name in ("convert-im6.q16", "convert-im6", "/usr/bin/convert", "magick", "convert"):
        if shutil.which(name) and "ImageMagick" in version_of(name, "-version"):
            return name
    raise FileNotFoundError("ImageMagick")


def through_file(suffix, write):
    """The bytes of a file that `write(path)` makes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"out{suffix}"
        write(str(path))
        return path.read_bytes()


def node_modules():
    """The folder tools/make_fixtures installed npm packages into."""
    return os.environ["FIXTURES_NODE_MODULES"]


def wheels():
    """The folder tools/make_fixtures unpacked the photographs' packages into."""
    return Path(os.environ["FIXTURES_WHEELS"])

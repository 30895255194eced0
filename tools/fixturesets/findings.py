"""Findings: files that once showed a fault, of fuzzing or of comparisons with other decoders. They are kept as they are, with
their manifest entries, which are written by hand: path, sha256, status, why, licence, origin."""

FOLDER = "findings/"

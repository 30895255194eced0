"""fixtures/manifest.toml: written and read here. Every value is also valid JSON, so no TOML library is needed.

Two tables: `fixture` for what a decoder is given, `golden` (paths below golden/) for what should come out.
"""

import hashlib
import json

from . import golden

HEAD = """# Every file of this folder: where it comes from, its licence, why it is here and what a decoder should say.
# Written by tools/make_fixtures; do not edit. README.md explains the fields.
"""


def entry_of(fixture):
    """The manifest entry of a Fixture, as a dict in the order of writing."""
    entry = {"path": fixture.path, "sha256": hashlib.sha256(fixture.data).hexdigest(), "status": fixture.status,
             "why": fixture.why, "licence": fixture.licence, "origin": fixture.origin}
    entry.update(fixture.facts)
    return entry


def write_manifest(entries):
    """The text of the manifest, entries sorted by path."""
    parts = [HEAD]
    for entry in sorted(entries, key=lambda e: e["path"]):
        table = "golden" if entry["path"].startswith(golden.FOLDER) else "fixture"
        parts.append(f"\n[[{table}]]\n" + "".join(
            f"{key} = {json.dumps(value)}\n" for key, value in entry.items() if value is not None))
    return "".join(parts)


def read_manifest(text):
    """The entries of a manifest this module wrote."""
    entries = []
    for line in text.splitlines():
        if line in ("[[fixture]]", "[[golden]]"):
            entries.append({})
        elif " = " in line and not line.startswith("#"):
            key, _, value = line.partition(" = ")
            entries[-1][key] = json.loads(value)
    return entries

"""Golden tensors: which fixtures have one, and what of their manifest entries can be checked without making them again.

They are made by tools/make_golden, which needs OpenCV and libturbojpeg; make_fixtures.py only keeps them.
"""

FOLDER = "golden/"
RECIPE = "dctnet-24"
# What each one is for.
SOURCES = {
    "photos/coffee-420.jpg": "4:2:0, 1.28 times as large",
    "photos/chelsea-444.jpg": "4:4:4; the crop starts at 160.5, which rounds to 160",
    "photos/rocket.jpg": "4:4:4, 640x427; the crop starts at 159.5, which rounds to 160",
    "photos/rocket-420.jpg": "4:2:0, 640x427, and little of it clips",
    "exif/6-big.jpg": "4:2:0 with orientation 6: upright it is 28x36, and 18 times as large",
}


def path_of(source):
    """photos/NAME.jpg -> golden/photos-NAME.dctnet-24.npy"""
    return f"{FOLDER}{source.removesuffix('.jpg').replace('/', '-')}.{RECIPE}.npy"


def faults(entries):
    """Golden entries whose fixture is gone or has changed since they were made."""
    digests = {entry["path"]: entry["sha256"] for entry in entries}
    return [f"made from another {entry['fixture']}: {entry['path']}" for entry in entries
            if entry["path"].startswith(FOLDER) and digests.get(entry["fixture"]) != entry["fixture_sha256"]]

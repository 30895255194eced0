"""Runs the command against az:// and gs://, on loopback.

az:// meets Azurite, Microsoft's emulator (from npm). For gs:// there is no emulator that speaks what is spoken: object_store asks
Google's XML API, which is S3's but for its names, and so it meets moto's server. What is proved there is the way through the
command, not Google's answers.

Usage: emulators.py JPEGDCT_BINARY FIXTURES_FOLDER; Azurite is `azurite-blob` of $AZURITE_BIN, or of PATH.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from stores import BUCKET, Moto, Store, files, free_port, has_stores, make_photos, run, same


class Azurite:
    """The emulator as a process, and a container in it."""

    def __init__(self, program):
        from azure.storage.blob import BlobServiceClient

        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [program, "--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--inMemoryPersistence",
                   "--skipApiVersionCheck", "--silent", "--disableTelemetry"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            try:
                urllib.request.urlopen(self.url).read()
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.1)
        # The account that every emulator has, and that is no secret.
        key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
        account = {"account_name": "devstoreaccount1", "account_key": key}
        self.client = BlobServiceClient(f"{self.url}/devstoreaccount1", credential=account).create_container(BUCKET)

    def put(self, folder, prefix):
        for name, content in files(folder).items():
            self.client.upload_blob(f"{prefix}/{name}", content)

    def files(self, prefix):
        names = [blob.name for blob in self.client.list_blobs(name_starts_with=prefix + "/")]
        return {name[len(prefix) + 1:]: self.client.download_blob(name).readall() for name in names}

    def stop(self):
        self.process.terminate()
        self.process.wait()


def check(binary, bucket, store, local, scratch, environment):
    """In, out, over a longer run, and taken up: as with folders."""

    def go(*arguments, code=1):
        return run(binary, *arguments, code=code, **environment)

    store.put(local, "in")
    zarr = ["--format", "zarr", "--recipe", "dctnet-24", "--shard-images", "3"]
    for number, flags in enumerate([["--format", "safetensors", "--shard-images", "3"], zarr]):
        wanted = scratch / f"wanted-{number}"
        go("extract", local, "-o", wanted, *flags)
        go("extract", f"{bucket}/in/", "-o", scratch / f"in-{number}", *flags)
        same(files(scratch / f"in-{number}"), files(wanted), ("in", flags))
        go("extract", local, "-o", f"{bucket}/out-{number}", *flags)
        assert store.files(f"out-{number}") == files(wanted), ("out", flags)
        # Over the longer run before; then again, when nothing is left to do.
        go("extract", local / "cat", "-o", f"{bucket}/out-{number}", *flags)
        said = go("extract", local / "cat", "-o", f"{bucket}/out-{number}", *flags, "--resume")
        assert " 0.0 images/s" in said, said
        go("extract", local / "cat", "-o", scratch / f"cat-{number}", *flags)
        assert store.files(f"out-{number}") == files(scratch / f"cat-{number}"), ("shorter", flags)
    go("extract", f"{bucket}/in/cat/*.jpg", "-o", scratch / "some")
    assert len((scratch / "some/manifest.jsonl").read_text().splitlines()) == len(list((local / "cat").glob("*.jpg")))
    said = go("extract", f"{bucket}/none/", "-o", scratch / "none")
    assert "no images there" in said, said


def main():
    binary, fixtures = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    if not has_stores(binary):
        print("emulators: not in this build, not checked")
        return
    azurite = shutil.which("azurite-blob", path=os.environ.get("AZURITE_BIN")) or shutil.which("azurite-blob")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        local = scratch / "photos"
        make_photos(fixtures, local)
        try:
            import azure.storage.blob  # noqa: F401
            missing = None if azurite else "no azurite-blob"
        except ImportError as error:
            missing = error
        if missing:
            print(f"emulators: az:// skipped, it needs azurite from npm and azure-storage-blob from PyPI: {missing}")
        else:
            server = Azurite(azurite)
            try:
                (scratch / "az").mkdir()
                environment = {"AZURE_STORAGE_USE_EMULATOR": "true", "AZURITE_BLOB_STORAGE_URL": server.url}
                check(binary, f"az://{BUCKET}", server, local, scratch / "az", environment)
                print("emulators: az:// in and out, with Azurite")
                wrong = {**environment, "AZURE_STORAGE_ACCOUNT_KEY": "d3Jvbmc="}
                said = run(binary, "extract", f"az://{BUCKET}/in/", "-o", scratch / "refused", code=1, **wrong)
                assert "cannot be listed" in said and "403" in said and not (scratch / "refused").exists(), said
                print("emulators: az:// with a wrong key")
            finally:
                server.stop()
        try:
            import boto3  # noqa: F401
            import moto  # noqa: F401
        except ImportError as error:
            print(f"emulators: gs:// skipped, it needs the Python packages moto[server] and boto3: {error}")
            return
        server = Moto()
        try:
            (scratch / "gs").mkdir()
            environment = {"GOOGLE_BASE_URL": server.url, "GOOGLE_ALLOW_HTTP": "true", "GOOGLE_BEARER_TOKEN": "test"}
            check(binary, f"gs://{BUCKET}", Store(server.url), local, scratch / "gs", environment)
            print("emulators: gs:// in and out, with moto's server")
        finally:
            server.stop()


if __name__ == "__main__":
    main()

"""Runs the command against object stores: a server that speaks S3 (moto) and a web server, both on loopback.

Usage: stores.py JPEGDCT_BINARY FIXTURES_FOLDER
"""

import functools
import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request

BUCKET = "photos"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Moto:
    """moto's server as a process; `checked` makes it check credentials."""

    def __init__(self, checked=False):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environment = dict(os.environ, **({"INITIAL_NO_AUTH_ACTION_COUNT": "0"} if checked else {}))
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        silent = subprocess.DEVNULL
        self.process = subprocess.Popen(command, env=environment, stdout=silent, stderr=silent)
        for _ in range(300):
            try:
                urllib.request.urlopen(self.url + "/moto-api/data.json").read()
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("moto's server does not answer")

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Relay(threading.Thread):
    """Passes connections on to a port until it is told to break, or has passed on so many bytes of answers."""

    def __init__(self, port, limit=None):
        super().__init__(daemon=True)
        self.to, self.left, self.open = port, limit, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.start()

    def run(self):
        while True:
            try:
                one, _ = self.listener.accept()
            except OSError:
                return
            other = socket.create_connection(("127.0.0.1", self.to))
            self.open += [one, other]
            threading.Thread(target=self.copy, args=(one, other, False), daemon=True).start()
            threading.Thread(target=self.copy, args=(other, one, True), daemon=True).start()

    def copy(self, source, target, counted):
        try:
            while data := source.recv(1 << 16):
                if counted and self.left is not None:
                    self.left -= len(data)
                    if self.left < 0:
                        return self.break_off()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def break_off(self):
        self.listener.close()
        for connection in self.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def run(binary, *arguments, url=None, code=0, **environment):
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    keys |= {"JPEGDCT_RETRIES": "2", **environment} | ({"AWS_ENDPOINT_URL": url} if url else {})
    done = subprocess.run([binary, *arguments], env={**os.environ, **keys}, stderr=subprocess.PIPE, text=True)
    assert done.returncode == code, (done.returncode, arguments, done.stderr)
    return done.stderr


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def clean(name, content):
    """A manifest without what differs between a folder and a store: paths and times of the inputs."""
    if name == "dataset.json":
        return {k: v for k, v in json.loads(content).items() if k != "inputs_hash"}
    if name != "manifest.jsonl":
        return content
    lines = [json.loads(line) for line in content.splitlines()]
    for line in lines:
        line.pop("path")
        line["source"].pop("modified")
    return lines


class Store:
    """A bucket on a server."""

    def __init__(self, url):
        import boto3

        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        self.client = boto3.client("s3", endpoint_url=url, **keys)
        self.client.create_bucket(Bucket=BUCKET)

    def put(self, folder, prefix):
        for name, content in files(folder).items():
            self.client.put_object(Bucket=BUCKET, Key=f"{prefix}/{name}", Body=content)

    def files(self, prefix):
        found = {}
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix + "/")
        for item in (item for page in pages for item in page.get("Contents", [])):
            body = self.client.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
            found[item["Key"][len(prefix) + 1:]] = body
        return found


def same(found, wanted, what):
    assert sorted(found) == sorted(wanted), (what, sorted(found), sorted(wanted))
    for name in wanted:
        a, b = clean(name, found[name]), clean(name, wanted[name])
        if name.startswith("shard-") and name.endswith(".tar"):
            continue  # it names the inputs
        assert a == b, (what, name)


def check_in_and_out(binary, moto, store, local, scratch):
    """A folder, a pattern, a list and archives in a store give what the same on disk give, whichever way it goes."""
    bucket = f"s3://{BUCKET}"
    store.put(local, "in")
    formats = [["--format", "npy"], ["--format", "safetensors", "--shard-images", "3"]]
    formats += [["--format", "webdataset", "--shard-images", "3"]]
    zarr = ["--format", "zarr", "--recipe", "dctnet-24", "--shard-images", "3", "--zstd"]
    formats += [zarr, ["--format", "npy", "--recipe", "dctnet-24"]]
    for number, flags in enumerate(formats):
        wanted = scratch / f"local-{number}"
        run(binary, "extract", local, "-o", wanted, *flags, code=1)
        run(binary, "extract", f"{bucket}/in/", "-o", scratch / f"from-{number}", *flags, url=moto.url, code=1)
        same(files(scratch / f"from-{number}"), files(wanted), ("in", flags))
        run(binary, "extract", local, "-o", f"{bucket}/out-{number}", *flags, url=moto.url, code=1)
        assert store.files(f"out-{number}") == files(wanted), ("out", flags)
        # Over a longer run before, and again when all is done.
        run(binary, "extract", f"{bucket}/in/cat", "-o", f"{bucket}/out-{number}", *flags, url=moto.url, code=1)
        said = run(binary, "extract", f"{bucket}/in/cat", "-o", f"{bucket}/out-{number}", *flags, "--resume",
                   url=moto.url, code=1)
        assert " 0.0 images/s" in said, said
        run(binary, "extract", local / "cat", "-o", scratch / f"cat-{number}", *flags, code=1)
        found = store.files(f"out-{number}")
        if "npy" not in flags:
            same(found, files(scratch / f"cat-{number}"), ("shorter", flags))
    check_other_inputs(binary, moto, store, local, scratch)
    said = run(binary, "stats", f"{bucket}/in", "-o", scratch / "stats.json", url=moto.url, code=1)
    assert json.loads((scratch / "stats.json").read_text())["images"] > 0, said
    run(binary, "extract", f"{bucket}/in/", "-o", f"{bucket}/x", "--format", "stack", "--recipe", "dctnet-24",
        url=moto.url, code=2)


def check_other_inputs(binary, moto, store, local, scratch):
    bucket = f"s3://{BUCKET}"
    folder = scratch / "archives"
    folder.mkdir()
    for name in ["a.tar", "b.tar.gz"]:
        with tarfile.open(folder / name, "w:gz" if name.endswith("gz") else "w") as tar:
            for path in sorted((local / "cat").glob("*.jpg")):
                tar.add(path, f"x/{path.name}")
    (folder / "list.txt").write_text("".join(f"{bucket}/in/{name}\n" for name in files(local)))
    store.put(folder, "archives")
    count = len(list((local / "cat").glob("*.jpg")))
    for name, images in [("archives/a.tar", count), ("archives/b.tar.gz", count), ("in/cat/*.jpg", count)]:
        out = scratch / name.replace("/", "-").replace("*", "all")
        run(binary, "extract", f"{bucket}/{name}", "-o", out, url=moto.url, code=1)
        lines = (out / "manifest.jsonl").read_text().splitlines()
        assert len(lines) == images, (name, len(lines), images)
    run(binary, "extract", f"@{bucket}/archives/list.txt", "-o", scratch / "list", url=moto.url, code=1)
    assert len((scratch / "list/manifest.jsonl").read_text().splitlines()) == len(files(local))
    said = run(binary, "extract", f"{bucket}/none/", "-o", scratch / "none", url=moto.url, code=1)
    assert "no images there" in said, said


def check_credentials(binary, local, scratch):
    """A server that checks credentials and refuses them: one line, and nothing is written."""
    moto = Moto(checked=True)
    try:
        said = run(binary, "extract", f"s3://{BUCKET}/in/", "-o", scratch / "refused", url=moto.url, code=1)
        assert "cannot be listed" in said and "403" in said and not (scratch / "refused").exists(), said
        said = run(binary, "extract", local, "-o", f"s3://{BUCKET}/out", url=moto.url, code=1)
        assert f"cannot write s3://{BUCKET}/out" in said and "403" in said, said
        assert said.count("\n") == 1, said
    finally:
        moto.stop()


def check_dropped_connections(binary, moto, store, local, scratch):
    """Connections that break after so many bytes: a clear error; taken up again, the result of an unbroken run."""
    bucket = f"s3://{BUCKET}"
    flags = ["--format", "safetensors", "--shard-images", "2", "--threads", "2"]
    wanted = scratch / "unbroken"
    run(binary, "extract", f"{bucket}/in/", "-o", wanted, *flags, url=moto.url, code=1)
    broken = 0
    for limit in [0, 20_000, 150_000, 300_000, 600_000]:
        for out in [scratch / f"dropped-{limit}", f"{bucket}/dropped-{limit}"]:
            relay = Relay(moto.port, limit)
            command = [binary, "extract", f"{bucket}/in/", "-o", out, *flags, "--resume"]
            try:
                said = run(*command, url=relay.url, code=1)
            finally:
                relay.break_off()
            if "cannot be reached" in said or "cannot be listed" in said:
                broken += 1
                assert said.count("jpegdct: error:") == 1, said
                local_out = isinstance(out, pathlib.Path)
                assert not local_out or not (out / "manifest.jsonl").exists()
            run(*command, url=moto.url, code=1)
            found = files(out) if isinstance(out, pathlib.Path) else store.files(out.rsplit("/", 1)[1])
            assert found == files(wanted), (limit, out, sorted(found))
    assert broken >= 4, f"only {broken} runs were broken off"
    # Where only the output breaks: local inputs, and nothing of a shard that did not arrive is claimed.
    relay = Relay(moto.port)
    command = [binary, "extract", local, "-o", f"{bucket}/half", *flags, "--resume"]
    relay.break_off()
    said = run(*command, url=relay.url, code=1)
    assert "cannot be reached" in said, said
    run(*command, url=moto.url, code=1)
    run(binary, "extract", local, "-o", scratch / "half", *flags, code=1)
    assert store.files("half") == files(scratch / "half")


def check_web(binary, local, scratch):
    """Single files of a web server."""
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=local))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    name = sorted(path.name for path in (local / "cat").glob("*.jpg"))[0]
    run(binary, "extract", f"{url}/cat/{name}", f"{url}/cat/gone.jpg", "-o", scratch / "web", code=1)
    lines = [json.loads(line) for line in (scratch / "web/manifest.jsonl").read_text().splitlines()]
    assert [line["status"] for line in lines] == ["ok", "unreadable"], lines
    server.shutdown()


def make_photos(fixtures, local):
    """The fixtures' photographs in two class folders, and a file that is none."""
    for number, photo in enumerate(sorted((fixtures / "photos").glob("*.jpg"))):
        place = local / ("dog" if number % 2 else "cat")
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(photo, place)
    (local / "cat/zz.jpg").write_bytes(b"no image")


def has_stores(binary):
    """Whether the program is built with object stores: then it says of one that is not there that it cannot be listed."""
    probe = subprocess.run([binary, "inspect", "s3://nowhere/x.jpg"], capture_output=True, text=True,
                           env={**os.environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "JPEGDCT_RETRIES": "0",
                                "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"})
    if "without the feature cloud" in probe.stdout:
        return False
    assert "cannot be listed" in probe.stderr, probe
    return True


def main():
    binary, fixtures = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        local = scratch / "photos"
        make_photos(fixtures, local)
        if not has_stores(binary):
            print("object stores: not in this build, not checked")
            return
        check_web(binary, local, scratch)
        print("object stores: a web server's files read")
        try:
            import boto3  # noqa: F401
            import moto  # noqa: F401
        except ImportError as missing:
            print(f"object stores: skipped, S3 needs the Python packages moto[server] and boto3: {missing}")
            return
        server = Moto()
        try:
            store = Store(server.url)
            check_in_and_out(binary, server, store, local, scratch)
            print("object stores: S3 in and out, five formats")
            check_dropped_connections(binary, server, store, local, scratch)
            print("object stores: dropped connections, each run taken up")
        finally:
            server.stop()
        check_credentials(binary, local, scratch)
        print("object stores: wrong credentials")


if __name__ == "__main__":
    main()

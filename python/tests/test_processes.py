"""Threads, forks, spawned processes, interrupts, and memory over many calls."""

import gc
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import sysconfig
import textwrap
import threading
import time

import numpy
import pytest
from conftest import FIXTURES

import jpegdct

EXTRACTOR = jpegdct.Extractor("dctnet-24")


def test_threads_share_an_extractor(photos):
    wanted = [EXTRACTOR(path) for path in photos]
    wrong = []

    def work(number):
        for turn in range(20):
            place = (number + turn) % len(photos)
            if not numpy.array_equal(EXTRACTOR(photos[place]), wanted[place]):
                wrong.append((number, turn))
            EXTRACTOR(b"text", on_error="none")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python is not free-threaded")
def test_a_free_threaded_python_stays_free_threaded():
    assert not sys._is_gil_enabled()


def test_other_threads_run_meanwhile(photo):
    """A thread that counts is not held up by one that decodes: the interpreter is released."""
    done, counted = threading.Event(), []

    def count():
        number = 0
        while not done.is_set():
            number += 1
            time.sleep(0)
        counted.append(number)

    thread = threading.Thread(target=count)
    thread.start()
    for _ in range(3):
        EXTRACTOR.batch([photo] * 60, threads=1)
    done.set()
    thread.join()
    assert counted[0] > 1000


def make(photo):
    """In another process, with the extractor of the first where it was forked."""
    return EXTRACTOR(photo), EXTRACTOR.batch([photo, photo], threads=2)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes(method, photo):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    wanted = EXTRACTOR(photo)
    with multiprocessing.get_context(method).Pool(2) as pool:
        for single, batch in pool.map(make, [photo] * 4):
            assert numpy.array_equal(single, wanted) and numpy.array_equal(batch[1], wanted)


def use(extractor, photo, queue):
    queue.put(extractor(photo).sum())


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_an_extractor_is_handed_to_a_process(method, photo):
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    process = context.Process(target=use, args=(EXTRACTOR, photo, queue))
    process.start()
    assert queue.get(timeout=60) == EXTRACTOR(photo).sum()
    process.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_forks_while_threads_hold_locks(photo):
    """Children that are forked while other threads decode do not wait for locks that nobody will release."""
    stop = threading.Event()

    def work():
        while not stop.is_set():
            EXTRACTOR.batch([photo] * 8, threads=2)

    thread = threading.Thread(target=work)
    thread.start()
    wanted = EXTRACTOR(photo).sum()
    try:
        for _ in range(40):
            child = os.fork()
            if child == 0:
                good = EXTRACTOR(photo).sum() == wanted and EXTRACTOR.batch([photo] * 2, threads=2)[1].sum() == wanted
                # A child of the child is one more process.
                grandchild = os.fork()
                if grandchild == 0:
                    os._exit(0 if EXTRACTOR(photo).sum() == wanted else 3)
                os._exit(0 if good and os.waitpid(grandchild, 0)[1] == 0 else 3)
            deadline = time.monotonic() + 60
            while (found := os.waitpid(child, os.WNOHANG)) == (0, 0):
                if time.monotonic() > deadline:
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                    pytest.fail("a forked child waits forever")
                time.sleep(0.002)
            assert found[1] == 0
    finally:
        stop.set()
        thread.join()


LONG = {
    "batch": "jpegdct.Extractor('dctnet-24').batch([photo] * 1_000_000, threads=THREADS, out=Out(1_000_000))",
    "ragged": "jpegdct.Extractor('planes').batch([photo] * 100_000, threads=THREADS)",
    "stats": "jpegdct.stats([path] * 100_000, 'dctnet-24', threads=THREADS)",
    "verify": "jpegdct.verify([path] * 100_000, 'dctnet-24', threads=THREADS)",
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("call", LONG)
def test_an_interrupt_ends_a_long_call(call, threads):
    small = next(iter(sorted(FIXTURES.glob("baseline/*.jpg"), key=lambda path: path.stat().st_size)))
    program = textwrap.dedent(f"""
        import signal, sys, time
        import numpy
        import jpegdct

        # What a shell starts in the background ignores interrupts, and so do its children.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        path, THREADS = {str(small)!r}, {threads}
        photo = open({str(FIXTURES / "photos" / "coffee-420.jpg")!r}, "rb").read()

        def Out(rows):
            # Rows that share one piece of memory would not be contiguous, so the array is a file without content.
            import tempfile
            return numpy.memmap(tempfile.TemporaryFile(), numpy.float32, "w+", shape=(rows, 24, 56, 56))

        arguments_made = time.monotonic()
        print("ready", flush=True)
        try:
            {LONG[call]}
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            jpegdct.Extractor("dctnet-24")(photo)
            print("and works", flush=True)
    """)
    if call == "batch":
        # A million rows are 300 GB of addresses, which a system may refuse; a few thousand take long enough.
        program = program.replace("1_000_000", "20_000")
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(1)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    try:
        rest = process.communicate(timeout=60)[0]
    finally:
        process.kill()  # nothing, if it has ended
    took = time.monotonic() - begun
    assert rest == "interrupted\nand works\n" and process.returncode == 0
    assert took < 10, f"{took} s"


def resident():
    """Bytes of memory in use."""
    fields = pathlib.Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not pathlib.Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_100_000_reads_keep_no_memory():
    files = sorted(FIXTURES.glob("sampling/*.jpg"))[:8] + sorted(FIXTURES.glob("damaged/*.jpg"))[:4]
    sources = [path.read_bytes() for path in files] + [b"text"]
    extractor = jpegdct.Extractor("native-24")

    def turn(number):
        source = sources[number % len(sources)]
        try:
            image = jpegdct.read(source)
            image[0].dequantised()
        except jpegdct.JpegError as error:
            str(error)
        if number % 10 == 0:
            extractor(source, on_error="none")
            jpegdct.inspect(source)
            extractor.batch([source, source], threads=1, on_error="none")

    for number in range(20_000):
        turn(number)
    gc.collect()
    before = resident()
    for number in range(100_000):
        turn(number)
    gc.collect()
    grown = resident() - before
    # One byte a read would be lost in this; 100 bytes a read would not.
    assert grown < 8 << 20, f"{grown} bytes more after 100,000 reads"

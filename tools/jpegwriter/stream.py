"""The whole file: segments and scans in order (T.81 B.2.1), with a note of where each part begins.

Enters: a frame, tables and a scan script. Leaves: a `Stream` of bytes, part offsets and component digests.
"""

from dataclasses import dataclass, field

from . import arithmetic_scans, huffman, progressive, segments, sequential, spec
from .digest import component_digest, table_digest


@dataclass
class Scan:
    """One scan of the script.

    components: indices into the frame. ss, se, ah, al: as in SOS. table_slots: index -> (DC slot, AC slot).
    huffman: "optimal", "long" (16-bit codes), "standard" (annex K), "installed" (tables of the scan before, no DHT) or
    "implied" (annex K without any DHT). restart_interval: where not None, a DRI before this scan.
    quant: DQT before this scan. before: raw segments before this scan.
    conditioning: DAC before this scan (arithmetic only), which stays in force.
    """

    components: list
    ss: int = 0
    se: int = 63
    ah: int = 0
    al: int = 0
    table_slots: dict = field(default_factory=dict)
    huffman: str = "optimal"
    restart_interval: int = None
    quant: dict = field(default_factory=dict)
    before: bytes = b""
    conditioning: dict = field(default_factory=dict)
    longest_eob_run: int = 0x7FFF

    def slots(self, index):
        return self.table_slots.get(index, (min(index, 1), min(index, 1)))


@dataclass
class Stream:
    """A written file. `parts` lists (name, start, end) in order; `digests` and `quant_digests` follow the frame."""

    data: bytes
    parts: list
    digests: list
    quant_digests: list
    frame: object
    process: str

    def part(self, name):
        """(start, end) of the first part with this name."""
        return next((start, end) for part, start, end in self.parts if part == name)


class _Output:
    def __init__(self, fill):
        self.data, self.parts, self.fill = bytearray(), [], fill

    def add(self, name, content, marker=True):
        start = len(self.data)
        self.data += (b"\xff" * self.fill if marker else b"") + content
        self.parts.append((name, start, len(self.data)))


def write_jpeg(frame, quant, scans, process="baseline", *, app=None, restart_interval=0, tables_together=True,
               quant_after_frame=False, huffman_before_frame=False, dnl=False, fill=0, prefix=b"", suffix=b""):
    """Write a JPEG file.

    frame: a Frame whose components hold their blocks. quant: slot -> 64 row-major values. process: a key of spec.SOF.
    app: raw segments after SOI (default: a JFIF APP0). fill: extra 0xFF bytes before every marker but SOI.
    dnl: height 0 in the frame header, told by DNL after the first scan. prefix, suffix: bytes around the file.
    """
    out = _Output(fill)
    out.add("prefix", prefix, marker=False)
    out.add("soi", b"\xff\xd8", marker=False)
    out.add("app", segments.jfif() if app is None else app, marker=False)
    dqt = segments.quant_tables(quant, tables_together) if quant else b""
    if not quant_after_frame:
        out.add("dqt", dqt, marker=bool(dqt))
    coder = _Coder(frame, process, restart_interval)
    coded = [coder.encode(scan) for scan in scans]
    if huffman_before_frame:
        out.add("dht0", segments.huffman_tables(coded[0][0], tables_together))
    out.add("sof", segments.frame_header(frame, process, 0 if dnl else None))
    if quant_after_frame:
        out.add("dqt", dqt, marker=bool(dqt))
    if restart_interval:
        out.add("dri", segments.restart_interval(restart_interval))
    latched = {}  # a component's table is the one its slot holds when its first scan starts
    installed = dict(quant)
    for number, (scan, (tables, intervals)) in enumerate(zip(scans, coded)):
        installed.update(scan.quant)
        for index in scan.components:
            latched.setdefault(index, installed.get(frame.components[index].tq))
        skip_tables = number == 0 and huffman_before_frame
        _add_scan(out, frame, scan, {} if skip_tables else tables, intervals, number, tables_together)
        if dnl and number == 0:
            out.add("dnl", segments.number_of_lines(frame.height))
    out.add("eoi", b"\xff\xd9")
    out.add("suffix", suffix, marker=False)
    indices = range(len(frame.components))
    return Stream(bytes(out.data), out.parts, [component_digest(frame, scans, i) for i in indices],
                  [table_digest(latched[i]) if latched.get(i) else "" for i in indices], frame, process)


def _add_scan(out, frame, scan, tables, intervals, number, together):
    if scan.before:
        out.add(f"before{number}", scan.before, marker=False)
    if scan.quant:
        out.add(f"dqt{number}", segments.quant_tables(scan.quant, together))
    if tables:
        out.add(f"dht{number}", segments.huffman_tables(tables, together))
    if scan.conditioning:
        out.add(f"dac{number}", segments.arithmetic_conditioning(scan.conditioning))
    if scan.restart_interval is not None:
        out.add(f"dri{number}", segments.restart_interval(scan.restart_interval))
    out.add(f"sos{number}", segments.scan_header(frame, scan))
    for i, data in enumerate(intervals):
        out.add(f"data{number}.{i}", data, marker=False)
        if i + 1 < len(intervals):
            out.add(f"rst{number}.{i}", bytes([0xFF, spec.RST0 + i % 8]))


class _Coder:
    """Entropy coding of the scans in order; keeps what stays in force from one scan to the next."""

    def __init__(self, frame, process, restart_interval):
        self.frame, self.process, self.restart_interval = frame, process, restart_interval
        self.tables, self.conditioning = {}, {}

    def encode(self, scan):
        """(Huffman tables to send before the scan, entropy-coded bytes of each restart interval)."""
        if scan.restart_interval is not None:
            self.restart_interval = scan.restart_interval
        if self.process.startswith("arithmetic"):
            self.conditioning.update(scan.conditioning)
            return {}, arithmetic_scans.encode_intervals(
                self.frame, scan, self.restart_interval, self.conditioning, self.process != "arithmetic")
        encoder = progressive if self.process == "progressive" else sequential
        intervals = encoder.encode_intervals(self.frame, scan, self.restart_interval)
        send = self._choose_tables(scan, huffman.count_symbols(intervals))
        return send, [huffman.write_tokens(tokens, self.tables) for tokens in intervals]

    def _choose_tables(self, scan, counts):
        if scan.huffman == "installed":
            return {}
        if scan.huffman in ("standard", "implied"):
            chosen = {key: huffman.STANDARD[key] for key in counts}
        elif scan.huffman == "long":
            chosen = {key: huffman.HuffmanTable.long_codes(c) for key, c in counts.items()}
        else:
            chosen = {key: huffman.HuffmanTable.optimal(c) for key, c in counts.items()}
        self.tables.update(chosen)
        return {} if scan.huffman == "implied" else chosen

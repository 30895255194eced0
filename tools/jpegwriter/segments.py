"""Marker segments as bytes (T.81 annex B.2). Each function returns a whole segment, marker and length included."""

import struct

from . import spec


def segment(marker, payload):
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


def jfif(major=1, minor=1):
    """JFIF APP0: density 1x1, no unit, no thumbnail."""
    return segment(spec.APP0, b"JFIF\0" + struct.pack(">BBBHHBB", major, minor, 0, 1, 1, 0, 0))


def adobe(transform):
    """Adobe APP14: transform 0 (RGB or CMYK), 1 (YCbCr) or 2 (YCCK)."""
    return segment(spec.APP0 + 14, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform))


def exif(orientation, order="<", extra_entries=0):
    """EXIF APP1 whose IFD0 holds the orientation tag (0x0112, SHORT); `order` is "<" (II) or ">" (MM).

    `extra_entries` ASCII entries precede it, so a reader has to walk the directory.
    """
    entries = [struct.pack(order + "HHI4s", 0x010E + i, 2, 1, b"\0\0\0\0") for i in range(extra_entries)]
    entries.append(struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0))
    directory = struct.pack(order + "H", len(entries)) + b"".join(entries) + struct.pack(order + "I", 0)
    header = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    return segment(spec.APP0 + 1, b"Exif\0\0" + header + directory)


def comment(text):
    return segment(spec.COM, text)


def quant_payload(slot, table, wide):
    """One table inside a DQT segment (B.2.4.1): precision and slot, then 64 values in zigzag order."""
    ordered = [table[position] for position in spec.ZIGZAG]
    return bytes([(0x10 if wide else 0) | slot]) + struct.pack(">64H" if wide else ">64B", *ordered)


def quant_tables(tables, together=True):
    """DQT for slot -> 64 row-major values; any value over 255 makes that table 16 bits wide."""
    parts = [quant_payload(slot, table, max(table) > 255) for slot, table in sorted(tables.items())]
    return segment(spec.DQT, b"".join(parts)) if together else b"".join(segment(spec.DQT, p) for p in parts)


def huffman_tables(tables, together=True):
    """DHT for ("dc" | "ac", slot) -> HuffmanTable."""
    parts = [table.payload(key) for key, table in sorted(tables.items())]
    return segment(spec.DHT, b"".join(parts)) if together else b"".join(segment(spec.DHT, p) for p in parts)


def arithmetic_conditioning(values):
    """DAC for ("dc" | "ac", slot) -> conditioning byte (B.2.4.3)."""
    return segment(spec.DAC, b"".join(
        bytes([(0x10 if kind == "ac" else 0) | slot, value]) for (kind, slot), value in sorted(values.items())))


def frame_header(frame, process, height=None):
    """SOFn (B.2.2). `height` overrides the number of lines (0 where DNL tells it later)."""
    payload = struct.pack(">BHHB", frame.precision, frame.height if height is None else height, frame.width,
                          len(frame.components))
    for c in frame.components:
        payload += bytes([c.id, c.h << 4 | c.v, c.tq])
    return segment(spec.SOF[process], payload)


def scan_header(frame, scan):
    """SOS (B.2.3)."""
    payload = bytes([len(scan.components)])
    for index in scan.components:
        dc_slot, ac_slot = scan.slots(index)
        payload += bytes([frame.components[index].id, dc_slot << 4 | ac_slot])
    return segment(spec.SOS, payload + bytes([scan.ss, scan.se, scan.ah << 4 | scan.al]))


def restart_interval(interval):
    return segment(spec.DRI, struct.pack(">H", interval))


def number_of_lines(height):
    return segment(spec.DNL, struct.pack(">H", height))

"""The frame header of a file some other encoder wrote, for the manifest. Reads markers up to SOF and nothing more."""

from jpegwriter import spec


def frame_facts(data):
    """process, precision, width, height, components [[id, h, v]], restart_interval (if set before the first scan)."""
    names = {marker: name for name, marker in spec.SOF.items()}
    facts, interval, position = {}, 0, 2
    while data[position + 1] != spec.SOS:
        marker = data[position + 1]
        body = data[position + 4:position + 2 + int.from_bytes(data[position + 2:position + 4], "big")]
        if marker in names:
            facts = {"process": names[marker], "precision": body[0], "width": int.from_bytes(body[3:5], "big"),
                     "height": int.from_bytes(body[1:3], "big"),
                     "components": [[body[i], body[i + 1] >> 4, body[i + 1] & 15] for i in range(6, len(body), 3)]}
        elif marker == spec.DRI:
            interval = int.from_bytes(body, "big")
        position += 4 + len(body)
    return {**facts, "restart_interval": interval} if interval else facts

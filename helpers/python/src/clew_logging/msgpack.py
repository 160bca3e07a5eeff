"""
The part of MessagePack (msgpack.org, spec.md) that Fluentd Forward needs: writing records and reading short answers.

    nil c0 · false c2 · true c3 · float64 cb · int: fixint, d0-d3, cc-cf
    str: fixstr a0-bf, d9-db · bin: c4-c6 · array: fixarray 90-9f, dc-dd · map: fixmap 80-8f, de-df
    EventTime = fixext8 with type 0: d7 00 seconds nanoseconds, each 32 bits, big-endian (Forward specification v1)
"""

from __future__ import annotations

import struct
from typing import Any, Dict, List, NamedTuple, Tuple, Union

Value = Union[None, bool, int, float, str, bytes, List[Any], Dict[str, Any], "EventTime"]

_NESTING_MAX = 16


class EventTime(NamedTuple):
    """Nanoseconds since the epoch, as Forward writes them."""

    ns: int


class NeedMore(Exception):
    """The bytes end inside a value."""


def pack(value: Value) -> bytes:
    out = bytearray()
    _write(out, value)
    return bytes(out)


def _write(out: bytearray, value: Value) -> None:
    if value is None:
        out.append(0xC0)
    elif value is True:
        out.append(0xC3)
    elif value is False:
        out.append(0xC2)
    elif isinstance(value, EventTime):
        out += struct.pack(">BBII", 0xD7, 0, value.ns // 1_000_000_000, value.ns % 1_000_000_000)
    elif isinstance(value, int):
        _write_int(out, value)
    elif isinstance(value, float):
        out += struct.pack(">Bd", 0xCB, value)
    elif isinstance(value, str):
        encoded = value.encode("utf-8", "replace")
        _write_head(out, len(encoded), (0xA0, 31), (0xD9, 0xDA, 0xDB))
        out += encoded
    elif isinstance(value, (bytes, bytearray)):
        _write_head(out, len(value), None, (0xC4, 0xC5, 0xC6))
        out += value
    elif isinstance(value, dict):
        _write_head(out, len(value), (0x80, 15), (None, 0xDE, 0xDF))
        for key, item in value.items():
            _write(out, key)
            _write(out, item)
    elif isinstance(value, (list, tuple)):
        _write_head(out, len(value), (0x90, 15), (None, 0xDC, 0xDD))
        for item in value:
            _write(out, item)
    else:
        raise TypeError(f"cannot pack {type(value).__name__}")


def _write_int(out: bytearray, value: int) -> None:
    if 0 <= value < 0x80:
        out.append(value)
    elif -0x20 <= value < 0:
        out.append(value & 0xFF)
    elif value >= 0:
        for code, form, bits in ((0xCC, ">BB", 8), (0xCD, ">BH", 16), (0xCE, ">BI", 32), (0xCF, ">BQ", 64)):
            if value < 1 << bits:
                out += struct.pack(form, code, value)
                return
        _write(out, str(value))
    else:
        for code, form, bits in ((0xD0, ">Bb", 7), (0xD1, ">Bh", 15), (0xD2, ">Bi", 31), (0xD3, ">Bq", 63)):
            if value >= -(1 << bits):
                out += struct.pack(form, code, value)
                return
        _write(out, str(value))


def _write_head(out: bytearray, length: int, fixed: Any, codes: Tuple[Any, int, int]) -> None:
    """The shortest head for a length: one byte if it fits, else a code with 8, 16 or 32 bits of length."""
    if fixed is not None and length <= fixed[1]:
        out.append(fixed[0] | length)
    elif codes[0] is not None and length < 1 << 8:
        out += struct.pack(">BB", codes[0], length)
    elif length < 1 << 16:
        out += struct.pack(">BH", codes[1], length)
    else:
        out += struct.pack(">BI", codes[2], length)


def unpack(data: bytes, at: int = 0, depth: int = 0) -> Tuple[Any, int]:
    """The value at an offset and the offset after it. Raises `NeedMore`, or `ValueError` for types that no answer contains."""
    if depth > _NESTING_MAX:
        raise ValueError("nests too deep")
    code = _take(data, at, 1)[0]
    at += 1
    if code < 0x80:
        return code, at
    if code >= 0xE0:
        return code - 256, at
    if code < 0x90:
        return _read_map(data, at, code & 15, depth)
    if code < 0xA0:
        return _read_array(data, at, code & 15, depth)
    if code < 0xC0:
        return _read_text(data, at, code & 31)
    if code in _CONSTANTS:
        return _CONSTANTS[code], at
    if code in _NUMBERS:
        form = _NUMBERS[code]
        size = struct.calcsize(form)
        return struct.unpack(form, _take(data, at, size))[0], at + size
    if code in _LENGTHS:
        kind, form = _LENGTHS[code]
        size = struct.calcsize(form)
        length = struct.unpack(form, _take(data, at, size))[0]
        at += size
        if kind == "str":
            return _read_text(data, at, length)
        if kind == "bin":
            return _take(data, at, length), at + length
        return _read_map(data, at, length, depth) if kind == "map" else _read_array(data, at, length, depth)
    raise ValueError(f"unexpected type 0x{code:02x}")


_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
_LENGTHS = {
    0xC4: ("bin", ">B"), 0xC5: ("bin", ">H"), 0xC6: ("bin", ">I"), 0xD9: ("str", ">B"), 0xDA: ("str", ">H"),
    0xDB: ("str", ">I"), 0xDC: ("array", ">H"), 0xDD: ("array", ">I"), 0xDE: ("map", ">H"), 0xDF: ("map", ">I"),
}  # fmt: skip


def _take(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise NeedMore
    return data[at : at + size]


def _read_text(data: bytes, at: int, length: int) -> Tuple[str, int]:
    return _take(data, at, length).decode("utf-8", "replace"), at + length


def _read_array(data: bytes, at: int, length: int, depth: int) -> Tuple[List[Any], int]:
    items = []
    for _ in range(length):
        item, at = unpack(data, at, depth + 1)
        items.append(item)
    return items, at


def _read_map(data: bytes, at: int, length: int, depth: int) -> Tuple[Dict[Any, Any], int]:
    items: Dict[Any, Any] = {}
    for _ in range(length):
        key, at = unpack(data, at, depth + 1)
        if not isinstance(key, (str, int, bytes)):
            raise ValueError("a map key is no text")
        items[key], at = unpack(data, at, depth + 1)
    return items, at

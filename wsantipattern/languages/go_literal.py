"""The values of Go's literals.

Never raises: what has no exact value here (imaginary numbers, numbers too large, broken escapes) comes back as its
own text. Knows nothing of the tree.
"""

from __future__ import annotations

_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
}
_DIGITS = {"x": 2, "u": 4, "U": 8}
_LONGEST = 400


def number(text: str) -> int | float | None:
    """The value of an integer or float literal, or None."""
    plain = text.replace("_", "").lower()
    if not plain or len(plain) > _LONGEST or plain.endswith("i"):
        return None
    try:
        if plain.startswith("0x") and ("p" in plain or "." in plain):
            return float.fromhex(plain)
        if plain.startswith(("0x", "0o", "0b")):
            return int(plain, 0)
        if "." in plain or "e" in plain:
            return float(plain)
        if len(plain) > 1 and plain.startswith("0"):
            return int(plain, 8)
        return int(plain)
    except (ValueError, OverflowError):
        return None


def string(text: str) -> str:
    """The value of a string or rune literal that is written with its quotes."""
    if text.startswith("`"):
        return text[1:-1] if text.endswith("`") and len(text) > 1 else text[1:]
    inner = text[1:-1] if len(text) > 1 and text[-1] == text[0] else text[1:]
    if "\\" not in inner:
        return inner
    decoded: list[str] = []
    at = 0
    while at < len(inner):
        slash = inner.find("\\", at)
        if slash < 0 or slash + 1 >= len(inner):
            decoded.append(inner[at:])
            break
        decoded.append(inner[at:slash])
        value, at = _escape(inner, slash)
        decoded.append(value)
    return "".join(decoded)


def _escape(text: str, slash: int) -> tuple[str, int]:
    """The character of the escape at `slash`, and the index after it."""
    letter = text[slash + 1]
    if letter in _ESCAPES:
        return _ESCAPES[letter], slash + 2
    start, length, base = slash + 2, _DIGITS.get(letter, 0), 16
    if not length and letter in "01234567":
        start, length, base = slash + 1, 3, 8
    digits = text[start : start + length]
    try:
        code = int(digits, base)
        # A lone surrogate is no text: it could not be printed.
        return (text[slash : start + length] if 0xD800 <= code < 0xE000 else chr(code)), start + length
    except (ValueError, OverflowError):
        return text[slash : slash + 2], slash + 2

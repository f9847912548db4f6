"""Check digits by algorithm. A country's number is a row that names one of these with its parameters.

Each takes a value in capitals without separators; a value that is too short or holds other characters fails.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from operator import mul
from typing import Any


def luhn(value: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    if not _figures(value):
        return False
    figures = value.encode()
    return (sum(figures[-1::-2]) + sum(figures[-2::-2].translate(_DOUBLED)) - 48 * len(figures)) % 10 == 0


#: Figures as bytes, each doubled, less 9 where that has two figures.
_DOUBLED = bytes(48 + (2 * (code - 48) - 9 * (code > 52)) if 48 <= code <= 57 else code for code in range(256))


def luhn_of(value: str, *, start: int, end: int) -> bool:
    """Luhn over the characters ``start`` to ``end`` only (a century before or a suffix behind)."""
    return luhn(value[start:end])


def luhn36(value: str) -> bool:
    """Luhn over letters and figures, letters counting 10 to 35, each written out (ISIN, ISO 6166)."""
    return value.isalnum() and value.isascii() and luhn("".join(str(int(char, 36)) for char in value))


def weighted(value: str, *, weights: list[int], modulus: int, mode: str = "r", over: str = "", at: int = -1) -> bool:
    """The weighted sum of the figures gives the check character that follows them (or stands ``at``).

    mode: ``r`` the remainder is the check, ``m-r`` the modulus less the remainder (modulus itself counting 0),
        ``last`` the last figure of the modulus less the remainder.
    over: what stands for a check of 10 (``X``, ``0``, ``K`` …); without it no such number is issued.
    """
    body, place = value[: len(weights)], at if at >= 0 else len(weights)
    if len(body) < len(weights) or not _figures(body) or len(value) <= place:
        return False
    remainder = _total(body, weights) % modulus
    left = modulus - remainder
    check = remainder if mode == "r" else left % 10 if mode == "last" else left % modulus
    return value[place] == (str(check) if check < 10 else over)


def pair(value: str, *, weights: list[int], modulus: int) -> bool:
    """Two check figures: the weighted sum of those before, modulo the modulus, its last two figures."""
    body = value[: len(weights)]
    if len(value) != len(weights) + 2 or not _figures(value):
        return False
    return _total(body, weights) % modulus % 100 == int(value[-2:])


def sums_to(value: str, *, weights: list[int], modulus: int, remainder: int = 0) -> bool:
    """The weighted sum of all figures, the check among them, leaves ``remainder`` (X counting 10 at the end)."""
    last = value[-1:]
    if len(value) != len(weights) or not _figures(value[:-1]) or not (last.isdigit() or last == "X"):
        return False
    figures = [*map(int, value[:-1]), 10 if last == "X" else int(last)]
    return sum(figure * weight for figure, weight in zip(figures, weights, strict=True)) % modulus == remainder


def two_weighted(value: str, *, first: list[int], second: list[int], modulus: int, over: str = "0") -> bool:
    """Two check figures one behind the other, the second over the first as well; both modulus less remainder."""
    return weighted(value, weights=first, modulus=modulus, mode="m-r", over=over) and weighted(
        value, weights=second, modulus=modulus, mode="m-r", over=over
    )


def retried(value: str, *, first: list[int], second: list[int], modulus: int) -> bool:
    """The remainder by the first weights, or where that is 10 by the second, or where that is 10 too, 0."""
    body = value[: len(first)]
    if len(value) <= len(first) or not _figures(value):
        return False
    for weights in (first, second):
        remainder = _total(body, weights) % modulus
        if remainder < 10:
            break
    return value[len(first)] == str(remainder % 10)


def folded(value: str, *, weights: list[int], modulus: int = 10) -> bool:
    """As ``weighted`` with ``m-r``, but products count by the sum of their figures (Austria, Israel, Quebec …)."""
    body = value[: len(weights)]
    if len(value) <= len(weights) or not _figures(value):
        return False
    total = sum(sum(map(int, str(int(char) * weight))) for char, weight in zip(body, weights, strict=True))
    return value[len(weights)] == str((modulus - total) % modulus)


def units(value: str, *, weights: list[int]) -> bool:
    """As ``weighted`` with ``m-r`` and modulus 10, but of each product only the last figure counts."""
    body = value[: len(weights)]
    if len(value) <= len(weights) or not _figures(value):
        return False
    total = sum(int(char) * weight % 10 for char, weight in zip(body, weights, strict=True))
    return value[len(weights)] == str((10 - total) % 10)


def odd_even(value: str) -> bool:
    """The tenth figure is 7 times the odd places less the even ones, the eleventh the sum of the ten, modulo 10."""
    if len(value) != 11 or not _figures(value):
        return False
    figures = [int(char) for char in value]
    tenth = (7 * sum(figures[0:9:2]) - sum(figures[1:8:2])) % 10
    return figures[9] == tenth and figures[10] == sum(figures[:10]) % 10


def verhoeff(value: str) -> bool:
    """Verhoeff's dihedral check."""
    if not _figures(value):
        return False
    check = 0
    for place, char in enumerate(reversed(value)):
        check = _DIHEDRAL[check][_PERMUTED[place % 8][int(char)]]
    return check == 0


def _permutations() -> tuple[tuple[int, ...], ...]:
    """The permutation 1 5 7 6 2 8 3 0 9 4 applied 0 to 7 times."""
    once, found = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4), [tuple(range(10))]
    while len(found) < 8:
        found.append(tuple(once[figure] for figure in found[-1]))
    return tuple(found)


def _dihedral(a: int, b: int) -> int:
    """Composition in the symmetries of the pentagon: 0-4 rotations, 5-9 reflections."""
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
    return 5 + (a - b) % 5 if b < 5 else (a - b) % 5


_PERMUTED = _permutations()
_DIHEDRAL = tuple(tuple(_dihedral(a, b) for b in range(10)) for a in range(10))


def iso7064_11_10(value: str) -> bool:
    """ISO 7064 MOD 11,10."""
    if not _figures(value):
        return False
    product = 10
    for char in value[:-1]:
        total = (int(char) + product) % 10 or 10
        product = total * 2 % 11
    return (int(value[-1]) + product) % 10 == 1


def iso7064_11_2(value: str) -> bool:
    """ISO 7064 MOD 11-2; the last may be X."""
    if not _figures(value[:-1]) or not (value[-1:].isdigit() or value[-1:] == "X"):
        return False
    total = 0
    for char in value[:-1]:
        total = (total + int(char)) * 2 % 11
    return (total + (10 if value[-1] == "X" else int(value[-1]))) % 11 == 1


def iso7064_97_10(value: str) -> bool:
    """ISO 7064 MOD 97-10 over letters and figures."""
    return bool(value) and value.isalnum() and value.isascii() and _written_out(value) % 97 == 1


def complement97(value: str, *, prefixes: list[str] | None = None, zero: str = "97") -> bool:
    """The last two figures are 97 less the remainder of the rest modulo 97, the rest taken with any of the prefixes.

    The Corsican 2A and 2B count 19 and 18. ``zero`` is what stands for a remainder of 0.
    """
    plain = value.replace("2A", "19").replace("2B", "18") if value[5:7] in ("2A", "2B") else value
    if len(plain) < 4 or not _figures(plain):
        return False
    body, check = plain[:-2], plain[-2:]
    for prefix in prefixes or [""]:
        left = 97 - int(prefix + body) % 97
        if check == (zero if left == 97 else f"{left:02d}"):
            return True
    return False


def remainder97(value: str, *, size: int) -> bool:
    """The figures behind the first ``size`` are the remainder of these modulo 97."""
    return _figures(value) and len(value) == size + 2 and int(value[:size]) % 97 == int(value[size:])


def remainder(value: str, *, size: int, modulus: int) -> bool:
    """The figure behind the first ``size`` is the last figure of their remainder."""
    return _figures(value) and len(value) == size + 1 and int(value[:size]) % modulus % 10 == int(value[size])


def divisible(value: str, *, modulus: int) -> bool:
    """The whole number is a multiple."""
    return _figures(value) and int(value) % modulus == 0


def letter_of(value: str, *, letters: str, start: int = 0) -> bool:
    """The last letter is chosen by the number before it, modulo the number of letters; X, Y, Z before count 0, 1, 2."""
    body = value[start:-1]
    if body[:1] in ("X", "Y", "Z"):
        body = str("XYZ".index(body[0])) + body[1:]
    body = "".join(char for char in body if char.isdigit())
    return bool(body) and value[-1:] == letters[int(body) % len(letters)]


def letter_weighted(value: str, *, weights: list[int], letters: str, plus: int = 0, start: int = 0) -> bool:
    """The letter behind the figures is chosen by their weighted sum; a further letter at the end counts 9 times."""
    body = value[start : start + len(weights)]
    if not _figures(body) or len(value) <= start + len(weights):
        return False
    total = plus + _total(body, weights)
    behind = value[start + len(weights) + 1 :]
    if behind and behind not in "W":
        total += 9 * (ord(behind[0]) - 64)
    return value[start + len(weights)] == letters[total % len(letters)]


def odd_table(value: str) -> bool:
    """Odd places by a table, even places as they are, modulo 26 gives the last letter (Italian fiscal code)."""
    if len(value) != 16 or not value.isalnum() or not value.isascii():
        return False
    total = 0
    for place, char in enumerate(value[:15]):
        figure = int(char) if char.isdigit() else ord(char) - 65
        total += figure if place % 2 else _ODD[figure]
    return value[15] == chr(65 + total % 26)


_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


def date(
    value: str, *, form: str, start: int = 0, month: list[int] | None = None, day: list[int] | None = None
) -> bool:
    """A date stands at ``start``, written ``YYMMDD``, ``DDMMYY``, ``YYYYMMDD`` or ``DDMMYYYY``.

    month, day: what may have been added to them (sex, century).
    """
    piece = value[start : start + len(form)]
    if len(piece) < len(form) or not _figures(piece):
        return False
    parts = {
        letter: "".join(char for char, place in zip(piece, form, strict=True) if place == letter) for letter in "YMD"
    }
    year, months, days = int(parts["Y"] or 0), int(parts["M"]), int(parts["D"])
    if "YYYY" in form and not 1900 <= year <= 2029:
        return False
    return any(1 <= months - added <= 12 for added in (month or [0])) and any(
        1 <= days - added <= 31 for added in (day or [0])
    )


def base58check(value: str) -> bool:
    """The last four bytes are the double SHA-256 of the others."""
    if not 25 <= len(value) <= 60:
        return False
    number = 0
    for char in value:
        figure = _BASE58.find(char)
        if figure < 0:
            return False
        number = number * 58 + figure
    zeros = len(value) - len(value.lstrip("1"))
    data = b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
    return len(data) > 4 and hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58check_ripple(value: str) -> bool:
    """As ``base58check`` with Ripple's alphabet."""
    return base58check(value.translate(_FROM_RIPPLE))


_FROM_RIPPLE = str.maketrans("rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz", _BASE58)


def bech32(value: str) -> bool:
    """Bech32 or bech32m (BIP 173, BIP 350)."""
    human, separator, data = value.lower().rpartition("1")
    if not separator or not human or any(char not in _BECH32 for char in data) or len(data) < 6:
        return False
    values = [ord(char) >> 5 for char in human] + [0] + [ord(char) & 31 for char in human]
    check = 1
    for figure in values + [_BECH32.index(char) for char in data]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ figure
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> bit & 1:
                check ^= generator
    return check in (1, 0x2BC830A3)


_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def vin(value: str) -> bool:
    """ISO 3779 check figure in the ninth place (North America)."""
    if len(value) != 17 or not value.isascii():
        return False
    total = 0
    for char, weight in zip(value, (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2), strict=True):
        figure = int(char) if char.isdigit() else _VIN.get(char, -1)
        if figure < 0:
            return False
        total += figure * weight
    return value[8] == "0123456789X"[total % 11]


_VIN: Mapping[str, int] = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)
)


def mrz(value: str, *, size: int) -> bool:
    """ICAO 9303: weights 7 3 1 over letters and figures give the figure behind the first ``size``."""
    body = value[:size]
    if len(value) <= size or not body.isalnum() or not body.isascii():
        return False
    return value[size] == str(sum(int(char, 36) * (7, 3, 1)[place % 3] for place, char in enumerate(body)) % 10)


def prefixed(value: str, *, prefix: str, name: str, **given: Any) -> bool:
    """Another algorithm over the value with figures put in front (a NPI counts behind 80840)."""
    return ALGORITHMS[name](prefix + value, **given)


def _written_out(value: str) -> int:
    return int("".join(map(_COUNTS.__getitem__, value)))


#: Letters count 10 to 35, in either case.
_COUNTS = {char: str(int(char, 36)) for char in "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def _total(figures: str, weights: list[int]) -> int:
    """The weighted sum."""
    total: int = sum(map(mul, figures.encode(), weights)) - 48 * sum(weights)
    return total


def _figures(value: str) -> bool:
    return value.isascii() and value.isdigit()


ALGORITHMS: Mapping[str, Callable[..., bool]] = {
    function.__name__: function
    for function in (
        luhn, luhn_of, luhn36, weighted, pair, sums_to, two_weighted, retried, folded, units, odd_even, verhoeff,
        iso7064_11_10, iso7064_11_2, iso7064_97_10, complement97, remainder97, remainder, divisible, letter_of,
        letter_weighted, odd_table, date, base58check, base58check_ripple, bech32, vin, mrz, prefixed,
    )
}  # fmt: skip
#: Algorithms to which capitals and small letters are not the same; the others take capitals without separators.
CASED = frozenset({"base58check", "base58check_ripple", "bech32"})
#: Names of parameters in the order in which rows give them.
_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "luhn_of": ("start", "end"),
    "weighted": ("weights", "modulus", "mode", "over", "at"),
    "pair": ("weights", "modulus"),
    "sums_to": ("weights", "modulus", "remainder"),
    "two_weighted": ("first", "second", "modulus", "over"),
    "retried": ("first", "second", "modulus"),
    "folded": ("weights", "modulus"),
    "units": ("weights",),
    "complement97": ("prefixes", "zero"),
    "remainder97": ("size",),
    "remainder": ("size", "modulus"),
    "divisible": ("modulus",),
    "letter_of": ("letters", "start"),
    "letter_weighted": ("weights", "letters", "plus", "start"),
    "date": ("form", "start", "month", "day"),
    "mrz": ("size",),
    "prefixed": ("prefix", "name"),
}


def parameters(algorithm: str, given: list[str]) -> dict[str, Any]:
    """Arguments as a row writes them, by name and read.

    Raises:
        ValueError: too many, or a number that is none.
    """
    names = _PARAMETERS.get(algorithm, ())
    if len(given) > len(names):
        raise ValueError(f"{algorithm} takes {len(names)} parameters")
    return {name: _read(name, text) for name, text in zip(names, given, strict=False) if text}


def _read(name: str, text: str) -> Any:
    if name in {"weights", "first", "second", "month", "day"}:
        return [int(part) for part in text.split()]
    if name == "prefixes":
        return ["" if part == "-" else part for part in text.split()]
    return int(text) if name in {"modulus", "start", "end", "at", "size", "remainder", "plus"} else text

"""Checks by algorithm, not by country: what a value must satisfy beyond its shape."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping


def card(value: str) -> bool:
    """A payment card: an issuer prefix with one of its lengths (ISO/IEC 7812 ranges as issuers publish them), Luhn."""
    digits = _digits(value)
    if len(set(digits)) < 2:
        return False
    return luhn(digits) and any(
        len(digits) in lengths and low <= digits[: len(low)] <= high for low, high, lengths in _ISSUERS
    )


#: (first prefix, last prefix, lengths)
_ISSUERS: tuple[tuple[str, str, frozenset[int]], ...] = (
    ("4", "4", frozenset({13, 16, 19})),  # Visa
    ("51", "55", frozenset({16})),  # Mastercard
    ("2221", "2720", frozenset({16})),
    ("34", "34", frozenset({15})),  # American Express
    ("37", "37", frozenset({15})),
    ("6011", "6011", frozenset(range(16, 20))),  # Discover
    ("644", "659", frozenset(range(16, 20))),
    ("3528", "3589", frozenset(range(16, 20))),  # JCB
    ("300", "305", frozenset(range(14, 20))),  # Diners Club
    ("3095", "3095", frozenset(range(14, 20))),
    ("36", "36", frozenset(range(14, 20))),
    ("38", "39", frozenset(range(14, 20))),
    ("62", "62", frozenset(range(16, 20))),  # UnionPay
    ("2200", "2204", frozenset(range(16, 20))),  # Mir
    ("5018", "5018", frozenset(range(13, 20))),  # Maestro
    ("5020", "5020", frozenset(range(13, 20))),
    ("5038", "5038", frozenset(range(13, 20))),
    ("5893", "5893", frozenset(range(13, 20))),
    ("6304", "6304", frozenset(range(13, 20))),
    ("6759", "6763", frozenset(range(13, 20))),
    ("60", "60", frozenset({16})),  # RuPay
    ("508", "508", frozenset({16})),
)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    total = sum(map(int, digits[-1::-2]))
    for digit in digits[-2::-2]:
        doubled = 2 * int(digit)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def iban(value: str) -> bool:
    """ISO 13616: the country's length, and remainder 1 modulo 97."""
    plain = value.replace(" ", "").replace("-", "").upper()
    if len(plain) != _IBAN_LENGTHS.get(plain[:2]):
        return False
    return int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1


#: Length by country, SWIFT IBAN registry.
_IBAN_LENGTHS: Mapping[str, int] = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL SD FK", 19: "MK SI", 20: "AT BA EE KZ LT LU XK MN",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ TL OM SO",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip


def ssn(value: str) -> bool:
    """A US social security number: no area 000, 666 or 9xx, no group 00, no serial 0000 (SSA, numbering since 2011)."""
    digits = _digits(value)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if len(digits) != 9 or digits in {"123456789", "078051120", "219099999"}:
        return False
    return area not in {"000", "666"} and area[0] != "9" and group != "00" and serial != "0000"


def birth_date(value: str) -> bool:
    """A day, month and year that a living person may have been born on (1900-2029), the year first or last."""
    parts = [part for part in re.split(r"[-./年月日]", value) if part]
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return False
    if len(parts[0]) == 4:
        year, rest = int(parts[0]), parts[1:]
    elif len(parts[2]) == 4:
        year, rest = int(parts[2]), parts[:2]
    else:
        return False
    low, high = sorted(map(int, rest))
    return 1900 <= year <= 2029 and 1 <= low <= 12 and high <= 31


def phone_international(value: str) -> bool:
    """8-15 digits (E.164) behind a calling code that is in use, not all alike."""
    digits = _digits(value)
    return 8 <= len(digits) <= 15 and digits[:2] not in _NO_CALLING_CODE and len(set(digits)) > 2


#: First two digits that begin no calling code in use (ITU-T E.164 assignments).
_NO_CALLING_CODE = frozenset({"28", "83", "89"})


def phone_national(value: str) -> bool:
    """7-13 digits that are not a date, a year range or one figure repeated."""
    digits = _digits(value)
    if not 7 <= len(digits) <= 13 or len(set(digits)) < 3:
        return False
    return not _DATE.fullmatch(value.strip())


_DATE = re.compile(r"(?:19|20)\d\d([-./ ]?)\d\d\1\d\d|\d\d([-./])\d\d\2(?:19|20)\d\d")


def ipv4(value: str) -> bool:
    """Four octets, neither unspecified nor a version number that starts with 0."""
    parts = value.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts) and int(parts[0]) > 0


def jwt(value: str) -> bool:
    """A JSON Web Token: its first part decodes to a JSON object with an algorithm."""
    head = value.split(".", 1)[0]
    try:
        decoded = base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))
    except (binascii.Error, ValueError):
        return False
    return decoded.startswith(b"{") and b'"alg"' in decoded


def not_dummy(value: str) -> bool:
    """No placeholder: none of the words people write where a secret goes, no run, no figure repeated."""
    lowered = value.lower()
    if any(word in lowered for word in _PLACEHOLDERS):
        return False
    body = re.sub(r"[^a-z0-9]", "", lowered)
    return len(set(body)) >= 5 and not any(run in body for run in ("123456789", "abcdefgh", "00000000", "xxxxxx"))


_PLACEHOLDERS = (
    "example", "your", "placeholder", "changeme", "change-me", "change_me", "dummy", "redacted", "insert", "replace",
    "xxxx", "****", "....", "<", ">", "${", "{{", "%(", "sample", "fake", "todo", "my-key", "mykey", "none", "not-a",
    "notreal", "not-real", "test-key", "testkey", "secret-key-here", "key-here", "undefined",
)  # fmt: skip


def entropy(value: str) -> bool:
    """At least 3.2 bits a character: above words and identifiers, below random base 62 and hexadecimal keys.

    Measured on 24 characters and more: English identifiers 2.6-3.4, random hexadecimal 3.4-3.9, base 62 above 4.
    """
    return shannon(value) >= 3.2


def assigned_secret(value: str) -> bool:
    """What is assigned to a secret's name looks like one: mixed classes, random enough, no code, no path, no name."""
    if not not_dummy(value) or _CODE.search(value) or _NAME.fullmatch(value):
        return False
    classes = (
        any(char.islower() for char in value)
        + any(char.isupper() for char in value)
        + any(char.isdigit() for char in value)
        + any(not char.isalnum() for char in value)
    )
    if value.isdigit() or classes < 2:
        return False
    if len(value) < 16:
        return classes >= 3 and shannon(value) >= 2.7
    return any(char.isdigit() for char in value) and shannon(value) >= 3.2


_CODE = re.compile(
    r"(?i)environ|getenv|process\.env|self\.|config\.|settings\.|://|^[./~\\]|::|->|=>|\.(?:py|js|ts|json|ya?ml|env|txt)$"
)
_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z][a-z0-9]*(?:[_.-][a-z]+)+\d?|[A-Za-z]+\d?")


def shannon(value: str) -> float:
    """Bits a character."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values()) if size else 0.0


def has_digit(value: str) -> bool:
    """At least one digit, one letter."""
    return any(char.isdigit() for char in value) and any(char.isalpha() for char in value)


def _digits(value: str) -> str:
    return "".join(char for char in value if "0" <= char <= "9")


VALIDATORS: Mapping[str, Callable[[str], bool]] = {
    "card": card,
    "iban": iban,
    "ssn": ssn,
    "birth_date": birth_date,
    "phone_international": phone_international,
    "phone_national": phone_national,
    "ipv4": ipv4,
    "jwt": jwt,
    "not_dummy": not_dummy,
    "entropy": entropy,
    "assigned_secret": assigned_secret,
    "has_digit": has_digit,
}

"""Checks by algorithm, not by country: what a value must satisfy beyond its shape."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache, lru_cache, partial
from itertools import pairwise

from penstock.inspect.sensitive import checksums


def card(value: str) -> bool:
    """A payment card: an issuer prefix with one of its lengths (ISO/IEC 7812 ranges as issuers publish them), Luhn."""
    digits = _digits(value)
    return len(digits) in _lengths(digits[:4]) and checksums.luhn(digits) and len(set(digits)) > 1


@lru_cache(maxsize=10_000)
def _lengths(first: str) -> frozenset[int]:
    """Of how many digits the cards are that begin with these four."""
    found = [lengths for low, high, lengths in _ISSUERS if low <= first[: len(low)] <= high]
    return frozenset().union(*found)


def card_any(value: str) -> bool:
    """A payment card of any length, old and rare ones as well; only where a word says that it is one."""
    digits = _digits(value)
    return 12 <= len(digits) <= 19 and len(set(digits)) > 1 and checksums.luhn(digits)


#: (first prefix, last prefix, lengths)
_ISSUERS: tuple[tuple[str, str, frozenset[int]], ...] = (
    ("4", "4", frozenset({16, 19})),  # Visa
    ("51", "55", frozenset({16})),  # Mastercard
    ("2221", "2720", frozenset({16})),
    ("34", "34", frozenset({15})),  # American Express
    ("37", "37", frozenset({15})),
    ("6011", "6011", frozenset(range(16, 20))),  # Discover
    ("644", "659", frozenset(range(16, 20))),
    ("3528", "3589", frozenset(range(16, 20))),  # JCB
    ("1800", "1800", frozenset({15})),  # JCB of old
    ("2131", "2131", frozenset({15})),
    ("300", "305", frozenset(range(14, 20))),  # Diners Club
    ("3095", "3095", frozenset(range(14, 20))),
    ("36", "36", frozenset(range(14, 20))),
    ("38", "39", frozenset(range(14, 20))),
    ("62", "62", frozenset(range(16, 20))),  # UnionPay
    ("2200", "2204", frozenset(range(16, 20))),  # Mir
    ("5018", "5018", frozenset(range(14, 20))),  # Maestro
    ("5020", "5020", frozenset(range(14, 20))),
    ("5038", "5038", frozenset(range(14, 20))),
    ("5893", "5893", frozenset(range(14, 20))),
    ("6304", "6304", frozenset(range(14, 20))),
    ("6759", "6763", frozenset(range(14, 20))),
    ("60", "60", frozenset({16})),  # RuPay
    ("508", "508", frozenset({16})),
)


def iban(value: str) -> bool:
    """ISO 13616: the country's length, and remainder 1 modulo 97."""
    plain = value.replace(" ", "").replace("-", "").upper()
    if len(plain) != _IBAN_LENGTHS.get(plain[:2]):
        return False
    return checksums.iso7064_97_10(plain[4:] + plain[:4])


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
    """A day, month and year that a living person may have been born on (1900-2029), in any order, months also by name.

    A year of two figures counts only at the end, as people write it.
    """
    if (plain := _NUMERIC_DATE.fullmatch(value)) is not None:
        first, second, third = map(int, plain.groups())
        return _born(first, second, third)
    parts = [part for part in re.split(r"[^0-9A-Za-z\u00c0-\u052f]+", re.sub(r"[年月日년월일]", " ", value)) if part]
    named = [MONTHS[part.lower()[:12]] for part in parts if part.lower()[:12] in MONTHS]
    numbers = [int(digits.group()) for part in parts if (digits := re.match(r"\d+", part))]
    if named:
        if len(numbers) != 2:
            return False
        numbers = [numbers[0], named[0], numbers[1]]
    if len(numbers) != 3:
        return False
    return _born(*numbers)


_NUMERIC_DATE = re.compile(r"(\d{1,4})[-./](\d{1,2})[-./](\d{1,4})")


def _born(*numbers: int) -> bool:
    first, second, third = numbers
    if first >= 1000:
        year, first = first, third
    elif second >= 1000:
        year, second = second, third
    elif third >= 1000:
        year = third
    else:
        year = 1999 if third <= 99 else 0
    low, high = (first, second) if first < second else (second, first)
    return 1900 <= year <= 2029 and 1 <= low <= 12 and high <= 31


#: Names of months and their usual short forms, in the languages of the context words.
MONTHS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        (
            ("january jan januar janvier enero ene gennaio gen janeiro januari stycznia styczeń leden "
            "ledna ocak января jänner tammikuuta ianuarie"),
            ("february feb februar février fevrier fév febrero febbraio fevereiro fev februari lutego "
            "luty únor února şubat февраля helmikuuta februarie"),
            ("march mar märz mars marzo março marco maart mrt marca marzec březen března mart марта "
            "maaliskuuta martie mrz"),
            ("april apr avril abril abr aprile kwietnia kwiecień duben dubna nisan апреля huhtikuuta "
            "aprilie"),
            "may mai mayo maggio mag maio mei maja maj květen května mayıs мая toukokuuta",
            ("june jun juni juin junio giugno giu junho czerwca czerwiec červen června haziran июня "
            "kesäkuuta iunie"),
            ("july jul juli juillet julio luglio lug julho lipca lipiec červenec července temmuz июля "
            "heinäkuuta iulie"),
            ("august aug août aout agosto ago augustus sierpnia sierpień srpen srpna ağustos августа "
            "elokuuta augusti"),
            ("september sep sept septembre septiembre settembre set setembro września wrzesień září "
            "eylül сентября syyskuuta septembrie"),
            ("october oct oktober okt octobre octubre ottobre ott outubro out października październik "
            "říjen října ekim октября lokakuuta octombrie"),
            ("november nov novembre noviembre novembro listopada listopad listopadu kasım ноября "
            "marraskuuta noiembrie"),
            ("december dec dezember dez décembre decembre déc diciembre dic dicembre dezembro grudnia "
            "grudzień prosinec prosince aralık декабря joulukuuta decembrie desember"),
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip


def phone_international(value: str) -> bool:
    """8-15 digits (E.164) behind a calling code that is in use, not all alike; an extension may follow."""
    digits = _digits(_EXTENSION.split(value, maxsplit=1)[0])
    return 8 <= len(digits) <= 15 and digits[:2] not in _NO_CALLING_CODE and len(set(digits)) > 2


#: First two digits that begin no calling code in use (ITU-T E.164 assignments).
_NO_CALLING_CODE = frozenset({"28", "83", "89"})


def phone_national(value: str) -> bool:
    """7-13 digits before any extension that are not a date, a year range or one figure repeated."""
    digits = _digits(_EXTENSION.split(value, maxsplit=1)[0])
    if not 7 <= len(digits) <= 13 or len(set(digits)) < 3:
        return False
    return not _DATE.fullmatch(value.strip())


def phone_grouped(value: str) -> bool:
    """8-12 digits in groups behind an area code or 0, in a form that no date has."""
    digits = _digits(value)
    if not 8 <= len(digits) <= 12 or len(set(digits)) < 3:
        return False
    groups = re.findall(r"\d+", value)
    return not (len(groups) == 3 and sorted(map(len, groups))[:2] == [2, 2] and len(max(groups, key=len)) in (2, 4))


def phone_idd(value: str) -> bool:
    """10-17 digits behind 00 and a calling code that is in use."""
    digits = _digits(value)
    return 10 <= len(digits) <= 17 and digits[2:4] not in _NO_CALLING_CODE and len(set(digits)) > 3


_EXTENSION = re.compile("[xe#]")
_DATE = re.compile(r"(?:19|20)\d\d([-./ ]?)\d\d\1\d\d|\d\d([-./])\d\d\2(?:19|20)\d\d")


def ipv4(value: str) -> bool:
    """Four octets without leading zeros, neither unspecified nor a version number that starts with 0."""
    parts = value.split(".")
    if len(parts) != 4 or not "".join(parts).isdigit() or not all(parts):
        return False
    if ".0" in value and any(len(part) > 1 and part[0] == "0" for part in parts):
        return False
    first, second, third, fourth = map(int, parts)
    return 0 < first < 256 and second < 256 and third < 256 and fourth < 256


def not_version_like(value: str) -> bool:
    """An octet of three figures, a private network 10, or four alike: 3.5 % of public addresses have none of these."""
    parts = value.split(".")
    return max(map(len, parts)) > 2 or parts[0] == "10" or len(set(parts)) == 1


def ipv6(value: str) -> bool:
    """An IPv6 address, neither unspecified nor loopback nor link-local."""
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_link_local)


def location(value: str) -> bool:
    """Latitude and longitude in degrees, not both whole, not both zero."""
    parts = [float(part) for part in re.findall(r"-?\d+\.\d+", value)]
    return len(parts) == 2 and abs(parts[0]) <= 90 and abs(parts[1]) <= 180 and any(parts)


def not_alike(value: str) -> bool:
    """Figures are not one repeated, nor 1 to 9 in order: nobody's number."""
    digits = _digits(value)
    return len(set(digits)) > 1 and digits not in "0123456789012345" and digits not in "9876543210"


def not_alike_hex(value: str) -> bool:
    """At least five different characters: no zero address, no broadcast address."""
    return len(set(value.lower())) >= 5


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
    for word in _PLACEHOLDERS:
        if word in lowered:
            return False
    body = lowered.encode("ascii", "ignore").translate(None, _NOT_ALNUM)
    if b"123456789" in body or b"abcdefgh" in body or b"00000000" in body or b"xxxxxx" in body:
        return False
    return len(set(body)) >= 5


_NOT_ALNUM = bytes(code for code in range(256) if not chr(code).isalnum() or code > 127)


_PLACEHOLDERS = (
    "example", "your", "placeholder", "changeme", "change-me", "change_me", "dummy", "redacted", "insert", "replace",
    "xxxx", "****", "....", "<", ">", "${", "{{", "%(", "sample", "fake", "todo", "my-key", "mykey", "none", "not-a",
    "notreal", "not-real", "test-key", "testkey", "secret-key-here", "key-here", "undefined",
)  # fmt: skip


def entropy(value: str) -> bool:
    """At least 3.2 bits a character (2.6 below 24 characters): above words, below random base 62 and hexadecimal keys.

    Measured on 24 characters and more: English identifiers 2.6-3.4, random hexadecimal 3.4-3.9, base 62 above 4.
    """
    return _has_bits(value, 3.2 if len(value) >= 24 else 2.6)


def _has_bits(value: str, least: float) -> bool:
    """Whether it holds at least so many bits a character; the number of different ones often tells."""
    return _least_entropy(len(value), len(set(value))) >= least or shannon(value) >= least


@lru_cache(maxsize=4096)
def _least_entropy(size: int, different: int) -> float:
    """Bits a character at least in a value of that many characters of which so many are different.

    Least when all but one of them occur once; a little is taken off for rounding.
    """
    often = size - different + 1
    if size == 0:
        return 0.0
    return ((different - 1) * math.log2(size) + often * math.log2(size / often)) / size - 1e-9


def assigned_secret(value: str) -> bool:
    """What is assigned to a secret's name looks like one: mixed classes, random enough, no code, no path, no name."""
    figure = _FIGURE.search(value) is not None
    classes = _classes(value) + figure
    if classes < 2 or value.isdigit():
        return False
    if value.isalpha():
        return _scrambled(value) and not_dummy(value)
    if len(value) < 16:
        if classes < 3 or not _has_bits(value, 2.7):
            return False
    elif not figure or not _has_bits(value, 3.2):
        return False
    return (
        not_dummy(value) and not _is_code(value.lower()) and not _NAME.fullmatch(value) and not _PATH.fullmatch(value)
    )


def _scrambled(value: str) -> bool:
    """Whether 24 letters and more are no words: few vowels, and capitals that begin none.

    Random letters have 19 % vowels and every second capital before another one; names in code have above 30 % vowels.
    """
    if len(value) < 24 or not value.isascii():
        return False
    vowels = sum(map(value.lower().count, "aeiou"))
    capitals = sum(1 for left, right in pairwise(value) if left.isupper() and right.isupper())
    return vowels <= 0.3 * len(value) and capitals >= len(value) / 8 and _has_bits(value, 3.8)


def _classes(value: str) -> int:
    """How many of small letters, capitals and signs occur."""
    if value.isascii():
        return (value != value.upper()) + (value != value.lower()) + (not value.isalnum())
    return (
        any(char.islower() for char in value)
        + any(char.isupper() for char in value)
        + any(not char.isalnum() for char in value)
    )


def _is_code(lowered: str) -> bool:
    """Whether the value is written in a program rather than kept: read from somewhere, a path, a file's name."""
    for part in _CODE:
        if part in lowered:
            return True
    return lowered.startswith(_PATH_LIKE) or lowered.endswith(_FILE_LIKE)


_FIGURE = re.compile(r"\d")
_CODE = ("environ", "getenv", "process.env", "self.", "config.", "settings.", "://", "::", "->", "=>")
_PATH_LIKE = (".", "/", "~", "\\")
_FILE_LIKE = (".py", ".js", ".ts", ".json", ".yaml", ".yml", ".env", ".txt")
_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z][a-z0-9]*(?:[_.-][a-z]+)+\d?|[A-Za-z]+\d?")


#: A place where a secret is kept, such as ``prod/db/main-2``.
_PATH = re.compile(r"[a-z][a-z_-]+(?:/[A-Za-z0-9_.-]+)+")


def shannon(value: str) -> float:
    """Bits a character."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values()) if size else 0.0


def has_digit(value: str) -> bool:
    """At least one digit, one letter."""
    return _FIGURE.search(value) is not None and _LETTER.search(value) is not None


_LETTER = re.compile(r"[^\W\d_]")


def _digits(value: str) -> str:
    return value.encode("ascii", "ignore").translate(None, _NO_FIGURES).decode()


_NO_FIGURES = bytes(code for code in range(256) if not 48 <= code <= 57)


#: Named checks without parameters.
_PLAIN: Mapping[str, Callable[[str], bool]] = {
    "card": card,
    "iban": iban,
    "ssn": ssn,
    "birth_date": birth_date,
    "phone_international": phone_international,
    "phone_national": phone_national,
    "phone_grouped": phone_grouped,
    "phone_idd": phone_idd,
    "ipv4": ipv4,
    "ipv6": ipv6,
    "not_version_like": not_version_like,
    "location": location,
    "jwt": jwt,
    "not_dummy": not_dummy,
    "entropy": entropy,
    "assigned_secret": assigned_secret,
    "has_digit": has_digit,
    "not_alike": not_alike,
    "not_alike_hex": not_alike_hex,
    "card_any": card_any,
}


def _without_separators(check: Callable[[str], bool], value: str) -> bool:
    return check(_SEPARATORS.sub("", value).upper())


_SEPARATORS = re.compile(r"[ ./()+-]")


@cache
def check_named(name: str, *, plain: bool = False) -> Callable[[str], bool]:
    """The check that a row names: ``card``, or an algorithm with its parameters, ``weighted(7 3 1; 10; r)``.

    plain: it will be given values in capitals and without separators only.

    Raises:
        KeyError, ValueError, TypeError: there is no such check, or its parameters do not fit.
    """
    algorithm, _, given = name.partition("(")
    if algorithm in _PLAIN and not given:
        return _PLAIN[algorithm]
    function = checksums.ALGORITHMS[algorithm]
    arguments = [argument.strip() for argument in given.removesuffix(")").split(";")] if given else []
    check: Callable[[str], bool] = partial(function, **checksums.parameters(algorithm, arguments))
    if algorithm not in checksums.CASED and not plain:
        check = partial(_without_separators, check)
    check("")  # parameters that do not fit show now, not in the middle of a text
    return check

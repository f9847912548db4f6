# ruff: noqa: E501 (documents stand in one line each)
"""Labelled everyday documents, made from a seed: tickets, chats in 20 languages, FHIR and HL7, invoices, files of staff, logs,
code, JSON, rows of tables.

A template says ``{iban}`` where a value stands and ``{~order}`` where something stands that only looks like one. Check
digits are worked out here; nothing of the detector is used, so that a mistake in its arithmetic shows.
"""

from __future__ import annotations

import base64
import random
import re
import string
import uuid
from collections.abc import Callable, Iterator

Made = tuple[str, str]
Maker = Callable[[random.Random], Made]
Wanted = tuple[int, int, str]

SLOT = re.compile(r"\{(~?[a-z_0-9]+)\}")
DIGITS, UPPER, LOWER, HEX = string.digits, string.ascii_uppercase, string.ascii_lowercase, "0123456789abcdef"
WORD = string.ascii_letters + DIGITS


def documents(count: int, seed: int) -> Iterator[tuple[str, list[Wanted], int]]:
    """(text, [(start, end, type)], look-alikes in it): by turns texts with values and texts with look-alikes alone."""
    chance = random.Random(seed)
    for number in range(count):
        yield filled(chance.choice(SPEAKING if number % 2 else SILENT), chance)


def filled(template: str, chance: random.Random) -> tuple[str, list[Wanted], int]:
    """The template with a value in every place."""
    text, wanted, alike, end = "", [], 0, 0
    for slot in SLOT.finditer(template):
        text += template[end : slot.start()]
        name, end = slot[1], slot.end()
        if name.startswith("~"):
            value, alike = ALIKE[name[1:]](chance), alike + 1
        else:
            kind, value = VALUES[name](chance)
            inner = value.find("\x00")
            if inner >= 0:  # the value proper stands between two marks
                before, middle, after = value.split("\x00")
                wanted.append((len(text) + len(before), len(text) + len(before) + len(middle), kind))
                value = before + middle + after
            else:
                wanted.append((len(text), len(text) + len(value), kind))
        text += value
    return text + template[end:], wanted, alike


# --- small things ----------------------------------------------------------------------------------------------------


def some(chance: random.Random, size: int, of: str = DIGITS) -> str:
    return "".join(chance.choices(of, k=size))


def shaped(chance: random.Random, shape: str) -> str:
    """``#`` a digit, ``%`` a digit but not 0 or 1, ``A`` a capital, the rest as it stands."""
    turn = {"#": DIGITS, "%": "23456789", "A": UPPER}
    return "".join(chance.choice(turn[char]) if char in turn else char for char in shape)


def one_of(*shapes: str) -> Callable[[random.Random], str]:
    return lambda chance: shaped(chance, chance.choice(shapes))


def weighed(text: str, *weights: int) -> int:
    return sum(int(char) * weight for char, weight in zip(text, weights, strict=True))


def luhn(body: str) -> str:
    total = sum(sum(divmod(int(char) * (2 - place % 2), 10)) for place, char in enumerate(reversed(body)))
    return body + str(-total % 10)


def grouped(text: str, *sizes: int, by: str = " ") -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    return by.join([*parts, text[at:]] if at < len(text) else parts)


def day(chance: random.Random, first: int = 1941, last: int = 2006) -> tuple[int, int, int]:
    return chance.randint(first, last), chance.randint(1, 12), chance.randint(1, 28)


def date(chance: random.Random, first: int, last: int) -> str:
    year, month, number = day(chance, first, last)
    return chance.choice(
        (f"{year}-{month:02}-{number:02}", f"{number:02}.{month:02}.{year}", f"{number:02}/{month:02}/{year}")
    )


# --- people ----------------------------------------------------------------------------------------------------------

NAMES = "oyelaran kowalczyk tanaka mbeki lindqvist okafor haddad nguyen petrov silva yilmaz marchetti dubois nakamura".split()
HOSTS = (
    "posteo.de proton.me gmx.at orange.fr libero.it wp.pl seznam.cz yandex.ru naver.com qq.com uol.com.br "
    "mail.telkom.co.za rediffmail.com bigpond.net.au kliniek-zuid.nl notaire-lyon.fr uni-graz.ac.at shop.museum"
).split()


def email(chance: random.Random) -> Made:
    name, host = chance.choice(NAMES), chance.choice(HOSTS)
    local = chance.choice(
        (name, f"{chance.choice(LOWER)}.{name}", f"{name}+invoices", f"{name}_{some(chance, 2)}", f"{name}-x")
    )
    return "EMAIL", f"{local}@{host}"


ABROAD = one_of(
    "+81 3-%###-####", "+82 10-%###-####", "+55 11 9%###-####", "+27 82 %## ####", "+90 532 %## ## ##", "+48 501 %## ###",
    "+91 98%## #####", "+61 412 %## ###", "+234 803 %## ####", "+44 20 7%## ####", "+49 30 %######", "+33 6 12 %# ## ##",
    "+39 333 %## ####", "+34 612 %## ###", "+41 79 %## ## ##", "+972 52-%##-####", "+54 11 4%##-####", "+46 70-%## ## ##",
    "+7 912 %##-##-##", "+86 138 %### ####", "+1 415-%%#-####", "+1 (212) %%#-####", "+62 812-%###-####", "+84 91 %## ## ##",
    "+380 67 %## ####", "+254 712 %#####", "+20 100 %## ####", "+351 912 %## ###", "+31 6 1%######", "+43 664 %######",
    "+358 40 %######", "+30 697 %## ####", "+420 601 %## ###", "+353 87 %## ####", "0049 171 %######", "+447700%#####",
)  # fmt: skip
HOME = {
    "us": ("(415) %%#-####", "415-%%#-####", "415.%%#.####"), "uk": ("020 7%## ####", "07700 %#####"),
    "de": ("0171 %######", "030/%######"), "fr": ("06 12 %# ## ##", "01.42.%#.##.##"), "es": ("612 %## ###", "91 %## ## ##"),
    "it": ("333 %## ####", "06 %### ####"), "pt": ("912 %## ###",), "br": ("(11) 9%###-####",), "nl": ("06-1%######", "020 %## ####"),
    "pl": ("501 %## ###", "22 %## ## ##"), "se": ("070-%## ## ##",), "tr": ("0532 %## ## ##",), "ru": ("8 (912) %##-##-##",),
    "ua": ("067 %## ## ##",), "jp": ("090-%###-####", "03-%###-####"), "cn": ("138 %### ####",), "kr": ("010-%###-####",),
    "il": ("052-%##-####",), "in": ("98%## #####",), "cz": ("601 %## ###",), "fi": ("040 %## ####",), "vn": ("091 %## ####",),
    "id": ("0812-%###-####",), "gr": ("697 %## ####",), "ro": ("0722 %## ###",), "au": ("0412 %## ###",), "za": ("082 %## ####",),
    "eg": ("0100 %## ####",), "hu": ("06 30 %## ####",), "dk": ("20 %# ## ##",),
}  # fmt: skip


def dob(chance: random.Random) -> Made:
    return "DOB", date(chance, 1941, 2006)


def pin_location(chance: random.Random) -> Made:
    return "LOCATION", f"{chance.uniform(36, 59):.6f}, {chance.uniform(-9, 29):.6f}"


# --- numbers of states -----------------------------------------------------------------------------------------------


def ssn(chance: random.Random) -> str:
    return f"{chance.randint(200, 665)}-{chance.randint(10, 99)}-{chance.randint(1000, 9999)}"


def nino(chance: random.Random) -> str:
    text = (
        chance.choice("ABCEGHJKLMNPRSTWXYZ")
        + chance.choice("ABCEGHJKLMPRSTWXYZ")
        + some(chance, 6)
        + chance.choice("ABCD")
    )
    if text[:2] in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}:
        return nino(chance)
    return chance.choice((text, grouped(text, 2, 2, 2, 2)))


def nir(chance: random.Random) -> str:
    year, month, _ = day(chance)
    body = f"{chance.choice('12')}{year % 100:02}{month:02}{chance.randint(1, 95):02}{some(chance, 6)}"
    text = body + f"{97 - int(body) % 97:02}"
    return chance.choice((text, grouped(text, 1, 2, 2, 2, 3, 3)))


def steuer(chance: random.Random) -> str:
    figures = chance.sample(DIGITS, 9)
    figures.append(chance.choice(figures))
    chance.shuffle(figures)
    body = "".join(figures)
    if body[0] == "0" or any(body[at] == body[at + 1] == body[at + 2] for at in range(8)):
        return steuer(chance)
    product = 10
    for char in body:
        product = (((int(char) + product) % 10 or 10) * 2) % 11
    text = body + str((11 - product) % 10)
    return chance.choice((text, grouped(text, 2, 3, 3)))


def dni(chance: random.Random) -> str:
    number = chance.randint(10_000_000, 99_999_999)
    return f"{number}{chance.choice(('', '-'))}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def fiscale(chance: random.Random) -> str:
    consonants = "BCDFGLMNPRSTV"
    year, month, number = day(chance)
    body = (
        some(chance, 6, consonants) + f"{year % 100:02}{'ABCDEHLMPRST'[month - 1]}{number + chance.choice((0, 40)):02}"
    )
    body += chance.choice("ABCDEFGHIL") + f"{chance.randint(100, 989)}"
    odd = dict(zip(DIGITS + UPPER, [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23], strict=True))  # fmt: skip
    total = sum(odd[char] if place % 2 == 0 else int(char, 36) - 10 * char.isalpha() for place, char in enumerate(body))
    return body + UPPER[total % 26]


def bsn(chance: random.Random) -> str:
    body = some(chance, 1, "12345678") + some(chance, 7)
    check = weighed(body, 9, 8, 7, 6, 5, 4, 3, 2) % 11
    return body + str(check) if check < 10 else bsn(chance)


def belgian(chance: random.Random) -> str:
    year, month, number = day(chance, 1941, 1999)
    body = f"{year % 100:02}{month:02}{number:02}{chance.randint(1, 997):03}"
    text = f"{body}{97 - int(body) % 97:02}"
    return f"{text[:2]}.{text[2:4]}.{text[4:6]}-{text[6:9]}.{text[9:]}"


def portuguese(chance: random.Random) -> str:
    body = chance.choice("12") + some(chance, 7)
    check = 11 - weighed(body, 9, 8, 7, 6, 5, 4, 3, 2) % 11
    return body + str(check if check < 10 else 0)


def pesel(chance: random.Random) -> str:
    year, month, number = day(chance)
    body = f"{year % 100:02}{month + (20 if year > 1999 else 0):02}{number:02}{some(chance, 4)}"
    return body + str(-weighed(body, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3) % 10)


def rodne(chance: random.Random) -> str:
    year, month, number = day(chance, 1955, 1999)
    body = f"{year % 100:02}{month + chance.choice((0, 50)):02}{number:02}{some(chance, 3)}"
    check = int(body) % 11
    return f"{body[:6]}/{body[6:]}{check}" if check < 10 else rodne(chance)


def cnp(chance: random.Random) -> str:
    year, month, number = day(chance, 1941, 1999)
    body = f"{chance.choice('12')}{year % 100:02}{month:02}{number:02}{chance.randint(1, 46):02}{chance.randint(1, 999):03}"
    check = weighed(body, 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9) % 11
    return body + str(1 if check == 10 else check)


def egn(chance: random.Random) -> str:
    year, month, number = day(chance, 1941, 1999)
    body = f"{year % 100:02}{month:02}{number:02}{some(chance, 3)}"
    return body + str(weighed(body, 2, 4, 8, 5, 10, 9, 7, 3, 6) % 11 % 10)


def personnummer(chance: random.Random) -> str:
    year, month, number = day(chance, 1941, 1999)
    text = luhn(f"{year % 100:02}{month:02}{number:02}{some(chance, 3)}")
    return chance.choice((f"{text[:6]}-{text[6:]}", f"{year // 100}{text[:6]}-{text[6:]}"))


def hetu(chance: random.Random) -> str:
    year, month, number = day(chance, 1941, 1999)
    birth, serial = f"{number:02}{month:02}{year % 100:02}", f"{chance.randint(2, 899):03}"
    return f"{birth}-{serial}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[int(birth + serial) % 31]}"


def norwegian(chance: random.Random) -> str:
    year, month, number = day(chance, 1941, 1999)
    body = f"{number:02}{month:02}{year % 100:02}{chance.randint(0, 499):03}"
    first = -weighed(body, 3, 7, 6, 1, 8, 9, 4, 5, 2) % 11
    if first == 10:
        return norwegian(chance)
    second = -weighed(body + str(first), 5, 4, 3, 2, 7, 6, 5, 4, 3, 2) % 11
    return norwegian(chance) if second == 10 else f"{body[:6]} {body[6:]}{first}{second}"


def isikukood(chance: random.Random) -> str:
    year, month, number = day(chance, 1941, 1999)
    body = f"{chance.choice('34')}{year % 100:02}{month:02}{number:02}{some(chance, 3)}"
    check = weighed(body, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1) % 11
    if check == 10:
        check = weighed(body, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3) % 11 % 10
    return body + str(check)


def pan(chance: random.Random) -> str:
    return some(chance, 3, UPPER) + "P" + some(chance, 1, UPPER) + some(chance, 4) + some(chance, 1, UPPER)


DIHEDRAL = [[(a + b) % 5 + 5 * (b >= 5) if a < 5 else (a - b) % 5 + 5 * (b < 5) for b in range(10)] for a in range(10)]


def aadhaar(chance: random.Random) -> str:
    turn = [list(range(10))]
    for _ in range(7):
        turn.append([turn[-1][place] for place in (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)])
    body = some(chance, 1, "23456789") + some(chance, 10)
    for last in DIGITS:
        check = 0
        for place, char in enumerate(reversed(body + last)):
            check = DIHEDRAL[check][turn[place % 8][int(char)]]
        if check == 0:
            return grouped(body + last, 4, 4, 4)
    raise AssertionError(body)


def chinese(chance: random.Random) -> str:
    year, month, number = day(chance)
    body = f"{chance.choice(('110101', '310115', '440305', '510104'))}{year}{month:02}{number:02}{some(chance, 3)}"
    return body + "10X98765432"[weighed(body, 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2) % 11]


def nric(chance: random.Random) -> str:
    first, body = chance.choice("ST"), some(chance, 7)
    total = weighed(body, 2, 7, 6, 5, 4, 3, 2) + (4 if first == "T" else 0)
    return first + body + "JZIHGFEDCBA"[total % 11]


def rrn(chance: random.Random) -> str:
    year, month, number = day(chance, 1941, 1999)
    body = f"{year % 100:02}{month:02}{number:02}{chance.choice('12')}{some(chance, 5)}"
    check = (11 - weighed(body, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5) % 11) % 10
    return f"{body[:6]}-{body[6:]}{check}"


def my_number(chance: random.Random) -> str:
    body = some(chance, 11)
    check = weighed(body, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2) % 11
    return grouped(body + str(0 if check <= 1 else 11 - check), 4, 4, 4)


def cpf(chance: random.Random) -> str:
    body = some(chance, 9)
    for start in (10, 11):
        check = weighed(body, *range(start, 1, -1)) * 10 % 11 % 10
        body += str(check)
    return f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"


def rut(chance: random.Random) -> str:
    body = f"{chance.randint(5_000_000, 24_999_999)}"
    total = sum(int(char) * (2 + place % 6) for place, char in enumerate(reversed(body)))
    check = "0123456789K0"[11 - total % 11] if total % 11 else "0"
    return f"{int(body):,}".replace(",", ".") + f"-{check}"


def cuit(chance: random.Random) -> str:
    body = chance.choice(("20", "27", "23")) + some(chance, 8)
    check = 11 - weighed(body, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2) % 11
    return cuit(chance) if check == 10 else f"{body[:2]}-{body[2:]}-{0 if check == 11 else check}"


def curp(chance: random.Random) -> str:
    year, month, number = day(chance, 1941, 1999)
    body = some(chance, 1, "BCDFG") + "A" + some(chance, 2, "LMNPR") + f"{year % 100:02}{month:02}{number:02}"
    body += (
        chance.choice("HM") + chance.choice(("DF", "JC", "NL", "MC")) + some(chance, 3, "BCDFGLMNP") + some(chance, 1)
    )
    places = "0123456789ABCDEFGHIJKLMN~OPQRSTUVWXYZ"
    total = sum(places.index(char) * (18 - place) for place, char in enumerate(body))
    return body + str(-total % 10)


def tfn(chance: random.Random) -> str:
    body = some(chance, 1, "123456789") + some(chance, 7)
    for last in DIGITS:
        if weighed(body + last, 1, 4, 3, 7, 5, 8, 6, 9, 10) % 11 == 0:
            return grouped(body + last, 3, 3, 3)
    return tfn(chance)


def south_african(chance: random.Random) -> str:
    year, month, number = day(chance, 1941, 1999)
    return luhn(f"{year % 100:02}{month:02}{number:02}{some(chance, 4)}08")


def tckn(chance: random.Random) -> str:
    body = some(chance, 1, "123456789") + some(chance, 8)
    tenth = (7 * sum(int(char) for char in body[::2]) - sum(int(char) for char in body[1::2])) % 10
    body += str(tenth)
    return body + str(sum(map(int, body)) % 10)


def israeli(chance: random.Random) -> str:
    return luhn(some(chance, 1, "123") + some(chance, 7))


def thai(chance: random.Random) -> str:
    body = some(chance, 1, "1234567") + some(chance, 11)
    text = body + str((11 - weighed(body, *range(13, 1, -1)) % 11) % 10)
    return grouped(text, 1, 4, 5, 2, 1, by="-")


def sin(chance: random.Random) -> str:
    return grouped(luhn(some(chance, 1, "1234567") + some(chance, 7)), 3, 3, 3, by=chance.choice(" -"))


def rnokpp(chance: random.Random) -> str:
    body = str(chance.randint(2, 3)) + some(chance, 8)
    return body + str(weighed(body, -1, 5, 7, 9, 4, 6, 10, 5, 7) % 11 % 10)


def afm(chance: random.Random) -> str:
    body = chance.choice("01") + some(chance, 7)
    return body + str(weighed(body, 256, 128, 64, 32, 16, 8, 4, 2) % 11 % 10)


def ahv(chance: random.Random) -> str:
    body = "756" + some(chance, 9)
    text = body + str(-weighed(body, *(1, 3) * 6) % 10)
    return f"{text[:3]}.{text[3:7]}.{text[7:11]}.{text[11:]}"


def svnr(chance: random.Random) -> str:
    year, month, number = day(chance, 1941, 1999)
    serial, birth = some(chance, 1, "123456789") + some(chance, 2), f"{number:02}{month:02}{year % 100:02}"
    check = (weighed(serial, 3, 7, 9) + weighed(birth, 5, 8, 4, 2, 1, 6)) % 11
    return svnr(chance) if check == 10 else f"{serial}{check} {birth}"


def oib(chance: random.Random) -> str:
    body, product = some(chance, 10), 10
    for char in body:
        product = (((int(char) + product) % 10 or 10) * 2) % 11
    return body + str((11 - product) % 10)


def ppsn(chance: random.Random) -> str:
    body = some(chance, 7)
    return body + "WABCDEFGHIJKLMNOPQRSTUV"[weighed(body, 8, 7, 6, 5, 4, 3, 2) % 23]


def inn(chance: random.Random) -> str:
    body = some(chance, 1, "123456789") + some(chance, 9)
    body += str(weighed(body, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8) % 11 % 10)
    return body + str(weighed(body, 3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8) % 11 % 10)


def snils(chance: random.Random) -> str:
    body = some(chance, 1, "123456789") + some(chance, 8)
    check = weighed(body, *range(9, 0, -1)) % 101 % 100
    return f"{body[:3]}-{body[3:6]}-{body[6:]} {check:02}"


def taiwan(chance: random.Random) -> str:
    letter = chance.choice("ABCDEFGHJKLMNPQRSTUVXY")
    number = {char: 10 + place for place, char in enumerate("ABCDEFGHJKLMNPQRSTUVXYWZIO")}[letter]
    body = chance.choice("12") + some(chance, 7)
    total = number // 10 + number % 10 * 9 + weighed(body, 8, 7, 6, 5, 4, 3, 2, 1)
    return letter + body + str(-total % 10)


# --- money, health, devices ------------------------------------------------------------------------------------------


def card(chance: random.Random) -> Made:
    start, size = chance.choice(
        (("4", 16), ("51", 16), ("2223", 16), ("37", 15), ("6011", 16), ("3530", 16), ("62", 16))
    )
    text = luhn(start + some(chance, size - 1 - len(start)))
    by = chance.choice(("", " ", "-"))
    return "CREDIT_CARD", grouped(text, 4, 6, 5, by=by) if size == 15 else grouped(text, 4, 4, 4, 4, by=by)


def iban(chance: random.Random) -> Made:
    country, shape = chance.choice(
        (("DE", "#" * 18), ("FR", "#" * 23), ("NL", "AAAA" + "#" * 10), ("GB", "AAAA" + "#" * 14), ("ES", "#" * 20),
         ("PL", "#" * 24), ("CH", "#" * 17), ("AT", "#" * 16), ("IT", "A" + "#" * 22), ("SE", "#" * 20), ("RO", "AAAA" + "#" * 16),
         ("TR", "#" * 22), ("AE", "#" * 19), ("SA", "#" * 20), ("BE", "#" * 12), ("DK", "#" * 14), ("FI", "#" * 14))
    )  # fmt: skip
    body = shaped(chance, shape)
    number = "".join(str(int(char, 36)) for char in body + country + "00")
    text = f"{country}{98 - int(number) % 97:02}{body}"
    return "IBAN", chance.choice((text, " ".join(text[at : at + 4] for at in range(0, len(text), 4))))


def aba(chance: random.Random) -> Made:
    body = chance.choice(("02", "11", "12", "26", "31")) + some(chance, 6)
    return "BANK_ROUTING", body + str(-weighed(body, 3, 7, 1, 3, 7, 1, 3, 7) % 10)


def swift(chance: random.Random) -> Made:
    bank = chance.choice(("DEUTDEFF", "BNPAFRPP", "COBADEFFXXX", "HSBCHKHH", "CHASUS33", "INGBNL2A", "UBSWCHZH80A"))
    return "SWIFT_CODE", bank


def isin(chance: random.Random) -> Made:
    body = chance.choice(("US", "DE", "FR", "GB")) + some(chance, 9)
    return "SECURITY_ID", body + luhn("".join(str(int(char, 36)) for char in body))[-1]


B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def wallet(chance: random.Random) -> Made:
    import hashlib

    if chance.random() < 0.5:
        return "CRYPTO", "0x" + some(chance, 40, HEX)
    raw = b"\x00" + chance.randbytes(20)
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = B58[rest] + text
    return "CRYPTO", "1" + text


def nhs(chance: random.Random) -> Made:
    body = some(chance, 1, "4679") + some(chance, 8)
    check = 11 - weighed(body, *range(10, 1, -1)) % 11
    if check == 10:
        return nhs(chance)
    return "MEDICAL|NATIONAL_ID", grouped(body + str(check % 11), 3, 3, 4)


def npi(chance: random.Random) -> Made:
    body = chance.choice("12") + some(chance, 8)
    return "MEDICAL", luhn("80840" + body)[5:]


def dea(chance: random.Random) -> Made:
    body = some(chance, 6)
    return "MEDICAL", f"B{chance.choice(UPPER)}{body}{weighed(body, 1, 2, 1, 2, 1, 2) % 10}"


def mbi(chance: random.Random) -> Made:
    a, n = "ACDEFGHJKMNPQRTUVWXY", DIGITS
    return "MEDICAL", "".join(chance.choice(of) for of in ("123456789", a, a + n, n, a, a + n, n, a, a, n, n))


def imei(chance: random.Random) -> Made:
    return "IMEI", luhn("35" + some(chance, 12))


def vin(chance: random.Random) -> Made:
    of = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
    value = dict(
        zip(
            "ABCDEFGHJKLMNPRSTUVWXYZ",
            [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9],
            strict=True,
        )
    )
    text = (
        chance.choice(("1HG", "WBA", "5YJ", "2T1")) + some(chance, 5, of) + "0" + some(chance, 3, of) + some(chance, 5)
    )
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    total = sum((value.get(char) or int(char)) * weight for char, weight in zip(text, weights, strict=True))
    return "VIN", text[:8] + "0123456789X"[total % 11] + text[9:]


def ip(chance: random.Random) -> Made:
    if chance.random() < 0.25:
        return (
            "IP_ADDRESS",
            f"2a02:{some(chance, 4, '123456789abcdef')}:{some(chance, 3, '123456789abcdef')}::{some(chance, 4, '123456789abcdef')}",
        )
    return (
        "IP_ADDRESS",
        f"{chance.choice((51, 81, 93, 146, 185, 203))}.{chance.randint(1, 254)}.{chance.randint(0, 254)}.{chance.randint(1, 254)}",
    )


def mac(chance: random.Random) -> Made:
    return "MAC_ADDRESS", chance.choice(":-").join(some(chance, 2, HEX) for _ in range(6))


# --- credentials -----------------------------------------------------------------------------------------------------


def secret(make: Callable[[random.Random], str]) -> Maker:
    return lambda chance: ("SECRET", make(chance))


def password(chance: random.Random) -> str:
    return (
        some(chance, 4, LOWER)
        + some(chance, 3, UPPER)
        + chance.choice("!#-_")
        + some(chance, 4)
        + some(chance, 3, LOWER)
    )


def jwt(chance: random.Random) -> str:
    def part(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    head, body = part('{"alg":"HS256","typ":"JWT"}'), part(f'{{"sub":"{some(chance, 8)}","iat":17{some(chance, 8)}}}')
    return f"{head}.{body}.{some(chance, 43, WORD + '-_')}"


def pem(chance: random.Random) -> str:
    kind = chance.choice(("RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"))
    lines = [some(chance, 64, WORD + "+/") for _ in range(chance.randint(3, 12))]
    return f"-----BEGIN {kind}-----\n" + "\n".join(lines) + f"\n-----END {kind}-----"


TOKENS: dict[str, Callable[[random.Random], str]] = {
    "aws": lambda c: "AKIA" + some(c, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "github": lambda c: "ghp_" + some(c, 36, WORD),
    "github_fine": lambda c: f"github_pat_{some(c, 22, WORD)}_{some(c, 59, WORD)}",
    "gitlab": lambda c: "glpat-" + some(c, 20, WORD),
    "slack": lambda c: f"xoxb-{some(c, 12)}-{some(c, 13)}-{some(c, 24, WORD)}",
    "slack_hook": lambda c: f"https://hooks.slack.com/services/T{some(c, 8, UPPER)}/B{some(c, 10, UPPER)}/{some(c, 24, WORD)}",
    "stripe": lambda c: "sk_live_" + some(c, 24, WORD),
    "stripe_hook": lambda c: "whsec_" + some(c, 32, WORD),
    "sendgrid": lambda c: f"SG.{some(c, 22, WORD)}.{some(c, 43, WORD)}",
    "openai": lambda c: f"sk-proj-{some(c, 74, WORD)}T3BlbkFJ{some(c, 74, WORD)}",
    "anthropic": lambda c: f"sk-ant-api03-{some(c, 93, WORD)}AA",
    "hf": lambda c: "hf_" + some(c, 34, string.ascii_letters),
    "google": lambda c: "AIza" + some(c, 35, WORD),
    "npm": lambda c: "npm_" + some(c, 36, WORD),
    "pypi": lambda c: "pypi-AgEIcHlwaS5vcmc" + some(c, 120, WORD),
    "do": lambda c: "dop_v1_" + some(c, 64, HEX),
    "shopify": lambda c: "shpat_" + some(c, 32, HEX),
    "databricks": lambda c: "dapi" + some(c, 32, HEX),
    "telegram": lambda c: f"{some(c, 1, '123456789')}{some(c, 9)}:AA{some(c, 33, WORD)}",
    "vault": lambda c: "hvs." + some(c, 90, WORD),
    "linear": lambda c: "lin_api_" + some(c, 40, WORD),
    "notion": lambda c: "ntn_" + some(c, 46, WORD),
    "groq": lambda c: "gsk_" + some(c, 52, WORD),
    "replicate": lambda c: "r8_" + some(c, 37, WORD),
    "perplexity": lambda c: "pplx-" + some(c, 48, WORD),
    "grafana": lambda c: f"glsa_{some(c, 32, WORD)}_{some(c, 8, HEX)}",
    "newrelic": lambda c: "NRAK-" + some(c, 27, UPPER + DIGITS),
    "doppler": lambda c: "dp.pt." + some(c, 43, WORD),
    "postman": lambda c: f"PMAK-{some(c, 24, HEX)}-{some(c, 34, HEX)}",
    "figma": lambda c: "figd_" + some(c, 40, WORD),
    "airtable": lambda c: f"pat{some(c, 14, WORD)}.{some(c, 64, HEX)}",
    "supabase": lambda c: "sbp_" + some(c, 40, HEX),
    "planetscale": lambda c: "pscale_tkn_" + some(c, 43, WORD),
    "age": lambda c: "AGE-SECRET-KEY-1" + some(c, 58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
    "tailscale": lambda c: f"tskey-auth-k{some(c, 10, WORD)}CNTRL-{some(c, 32, WORD)}",
    "pulumi": lambda c: "pul-" + some(c, 40, HEX),
    "xai": lambda c: "xai-" + some(c, 80, WORD),
    "langsmith": lambda c: f"lsv2_pt_{some(c, 32, HEX)}_{some(c, 10, HEX)}",
    "pinecone": lambda c: f"pcsk_{some(c, 5, WORD)}_{some(c, 63, WORD)}",
    "discord_hook": lambda c: f"https://discord.com/api/webhooks/{some(c, 18)}/{some(c, 68, WORD)}",
    "sentry": lambda c: f"sntryu_{some(c, 64, HEX)}",
    "okta": lambda c: "SSWS 00" + some(c, 40, WORD),
    "mapbox": lambda c: f"sk.eyJ1{some(c, 60, WORD)}.{some(c, 22, WORD)}",
    "circleci": lambda c: f"CCIPAT_{some(c, 22, WORD)}_{some(c, 40, HEX)}",
    "buildkite": lambda c: "bkua_" + some(c, 40, HEX),
    "docker": lambda c: "dckr_pat_" + some(c, 27, WORD + "-_"),
    "atlassian": lambda c: f"ATATT3xFfGF0{some(c, 171, WORD)}={some(c, 8, HEX.upper())}",
    "jwt": jwt,
}  # fmt: skip
URLS: dict[str, str] = {
    "postgres": "postgresql://svc_orders:{}@db7.internal.plant.io:5432/orders", "mongo": "mongodb+srv://ingest:{}@cluster0.k3x9a.mongodb.net/app",
    "redis": "redis://:{}@cache-2.prod.svc:6379/0", "amqp": "amqps://worker:{}@mq.eu-north.cloudamqp.com/jobs",
    "basic": "https://deploy:{}@git.lab.example.org/team/app.git", "mysql": "mysql+pymysql://root:{}@10.4.7.9/crm", "smtp": "smtp://postmaster:{}@mail.hosting.nl:587",
}  # fmt: skip


def token(chance: random.Random) -> str:
    return TOKENS[chance.choice(sorted(TOKENS))](chance)


def url(chance: random.Random) -> str:
    before, after = URLS[chance.choice(sorted(URLS))].split("{}")
    return f"{before}\x00{some(chance, 10, WORD) + some(chance, 4)}\x00{after}"


# --- what only looks like something ----------------------------------------------------------------------------------


def isbn13(chance: random.Random) -> str:
    body = "978" + some(chance, 9)
    text = body + str(-weighed(body, *(1, 3) * 6) % 10)
    return f"{text[:3]}-{text[3]}-{text[4:8]}-{text[8:12]}-{text[12]}"


def noise(chance: random.Random, size: int) -> str:
    return base64.b64encode(chance.randbytes(size)).decode()


ALIKE: dict[str, Callable[[random.Random], str]] = {
    "order": one_of("ORD-########", "########", "SO/2025/######", "A#######", "##-#####-#####", "PO4500######", "R#########"),
    "ticket": one_of("INC00#####", "JIRA-####", "CS-2024-#####", "TCK-######", "REQ0000#####"),
    "sku": one_of("AA-####-AAA", "SKU##########", "#####-A#-#", "AAA##A####", "####.###.###", "A###-####-##"),
    "part": one_of("###-##-###", "#AA# ### ###-#", "A ### ### ## ##", "#####-AAA-####", "###.###.##"),
    "tracking": one_of("1Z###AA1##########", "JD01##############", "94055#################", "RR#########DE", "0034################"),
    "uuid": lambda c: str(uuid.UUID(int=c.getrandbits(128), version=4)),
    "sha1": lambda c: some(c, 40, HEX), "sha256": lambda c: some(c, 64, HEX), "md5": lambda c: some(c, 32, HEX),
    "short": lambda c: some(c, 7, HEX), "trace": lambda c: f"00-{some(c, 32, HEX)}-{some(c, 16, HEX)}-01",
    "integrity": lambda c: "sha512-" + noise(c, 64), "image": lambda c: "data:image/png;base64,iVBORw0KGgo" + noise(c, 90),
    "version": one_of("%.14.#", "v1.#.##-rc.%", "2024.#.#", "10.0.19041.####", "4.18.#.#", "1.2.3.##", "115.0.5790.###"),
    "epoch": one_of("17#########", "171#######", "171##########", "171#######.###"), "ns": one_of("171################"),
    "stamp": lambda c: f"{date(c, 2019, 2025)[:10]} {c.randint(0, 23):02}:{c.randint(0, 59):02}:{c.randint(0, 59):02}",
    "day": lambda c: date(c, 2015, 2026), "pixels": lambda c: f"{c.randint(0, 1919)}, {c.randint(0, 1079)}",
    "box": lambda c: ", ".join(f"{c.uniform(0, 900):.2f}" for _ in range(4)), "ratio": one_of("##.##", "0.####", "#.######"),
    "isbn": isbn13, "isbn10": one_of("3-16-148410-0", "0-306-40615-2", "0306406152"), "ean": one_of("4006381333931", "5901234123457", "#############"),
    "oid": one_of("1.3.6.1.4.1.####.#.#", "2.16.840.1.113883.6.##"), "money": one_of("#,###.##", "##.###,##", "% ###,##", "$%#,###"),
    "count": one_of("%####", "%,###,###", "%## ###", "%######"), "hexaddr": one_of("0x7fff########", "0x0000####"),
    "colour": lambda c: "#" + some(c, 6, HEX), "range": one_of("1###-2024", "100-250", "%.##-#.##"), "invoice": one_of("RE-2025-#####", "2025/#####", "F########", "##########"),
    "etag": lambda c: f'W/"{some(c, 2, HEX)}-{some(c, 27, WORD)}"', "digest": lambda c: "sha256:" + some(c, 64, HEX), "ulid": lambda c: "01J" + some(c, 23, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"),
    "objectid": lambda c: "65" + some(c, 22, HEX), "arn": lambda c: f"arn:aws:lambda:eu-west-1:{some(c, 12)}:function:resize",
    "account": one_of("C-######", "K#####", "#####"), "doi": one_of("10.1038/s41586-019-####-#", "10.1145/#######.#######"),
    "placeholder": lambda c: c.choice(("<your-api-key>", "${API_KEY}", "xxxxxxxxxxxxxxxx", "changeme", "os.environ['TOKEN']", "{{ vault.key }}", "********", "YOUR_TOKEN_HERE", "sk-...")),
    "nonce": lambda c: noise(c, 16), "base32": lambda c: some(c, 26, UPPER + "234567"), "phoneish": one_of("2### x %### x ###", "### ### ### rows", "####-####"),
    "law": one_of("§ %## Abs. %", "Art. %#(%)", "ISO 27001:2022", "RFC %###", "EN %####-%"), "chip": one_of("STM32F###VGT6", "LM%##D", "BC%##-##"),
}  # fmt: skip


# --- texts -----------------------------------------------------------------------------------------------------------


def national(make: Callable[[random.Random], str]) -> Maker:
    return lambda chance: ("NATIONAL_ID", make(chance))


def fixed(kind: str, *values: str) -> Maker:
    return lambda chance: (kind, chance.choice(values))


def at_home(shapes: tuple[str, ...]) -> Maker:
    return lambda chance: ("PHONE", shaped(chance, chance.choice(shapes)))


VALUES: dict[str, Maker] = {
    "email": email, "phone": lambda c: ("PHONE", ABROAD(c)), "dob": dob, "pin": pin_location, "card": card, "iban": iban, "aba": aba,
    "swift": swift, "isin": isin, "wallet": wallet, "nhs": nhs, "npi": npi, "dea": dea, "mbi": mbi, "imei": imei, "vin": vin, "ip": ip, "mac": mac,
    "cvv": lambda c: ("CARD_SECURITY_CODE", some(c, 3)), "mrn": lambda c: ("MEDICAL", shaped(c, c.choice(("%#######", "H%######", "00-%#-##-##")))),
    "icd": fixed("MEDICAL", "E11.9", "F32.1", "C50.911", "J45.40", "B20"), "token": secret(token), "url": secret(url), "password": secret(password), "pem": secret(pem),
    "awssecret": secret(lambda c: some(c, 40, WORD + "+/")), "hexkey": secret(lambda c: some(c, 32, HEX)), "azurekey": secret(lambda c: noise(c, 64)),
    "us_passport": lambda c: ("PASSPORT", shaped(c, c.choice(("%########", "A%#######")))), "de_passport": lambda c: ("PASSPORT", "C" + some(c, 8, "CFGHJKLMNPRTVWXYZ0123456789")),
    "in_passport": lambda c: ("PASSPORT", shaped(c, "K%######")), "fr_passport": lambda c: ("PASSPORT", shaped(c, "%#AA#####")),
    "uk_licence": lambda c: ("DRIVING_LICENCE", f"{some(c, 5, UPPER)}{c.randint(0, 9)}{c.randint(1, 12):02}{c.randint(1, 28):02}{c.randint(0, 9)}{some(c, 2, UPPER)}9{some(c, 2, UPPER)}"),
    "us_licence": lambda c: ("DRIVING_LICENCE", shaped(c, "D%######")), "account_no": lambda c: ("BANK_ACCOUNT", some(c, 1, "123456789") + some(c, 9)),
    "sort": lambda c: ("BANK_ROUTING", shaped(c, "%#-##-##")), "plate": lambda c: ("VEHICLE_PLATE", shaped(c, c.choice(("AA%# AAA", "A-AA %###", "AA-%##-AA")))),
    "imsi": lambda c: ("IMSI", c.choice(("26201", "31026", "23415")) + some(c, 10)), "religion": fixed("RELIGION", "Catholic", "Muslim", "Jewish", "Hindu", "Buddhist"),
    "orientation": fixed("SEXUAL_ORIENTATION", "gay", "lesbian", "bisexual"), "illness": fixed("HEALTH_CONDITION", "type 2 diabetes", "depression", "HIV", "epilepsy", "breast cancer"),
    "crime": fixed("CRIMINAL_RECORD", "convicted of fraud", "convicted of theft", "convicted of assault"), "idfa": lambda c: ("DEVICE_ID", str(uuid.UUID(int=c.getrandbits(128), version=4)).upper()),
    "latlon": lambda c: ("LOCATION", f'{c.uniform(36, 59):.6f},"longitude":{c.uniform(1, 29):.6f}'), "marking": fixed("MARKING", "STRICTLY CONFIDENTIAL", "Internal use only", "TLP:RED", "Company Confidential"),
    **{f"tel_{country}": at_home(shapes) for country, shapes in HOME.items()},
    **{
        make.__name__: national(make)
        for make in (
            ssn, nino, nir, steuer, dni, fiscale, bsn, belgian, portuguese, pesel, rodne, cnp, egn, personnummer, hetu, norwegian, isikukood, pan, aadhaar,
            chinese, nric, rrn, my_number, cpf, rut, cuit, curp, tfn, south_african, tckn, israeli, thai, sin, rnokpp, afm, ahv, svnr, oib, ppsn, inn, snils, taiwan,
        )
    },
}  # fmt: skip

SPEAKING = [
    # tickets and mail
    "Ticket {~ticket}\nRequester: {email}\nCallback: {phone}\nOpened {~stamp}\n\nMy parcel {~tracking} never arrived, order {~order}.",
    "From: {email}\nTo: the desk of {~account}\nSubject: Refund {~invoice}\n\nPlease refund to IBAN {iban}, amount {~money}.",
    "Hi team, the customer's new number is {phone} (old ticket {~ticket}); mail bounced for {email}.",
    "[{~stamp}] agent: could you confirm your date of birth?\ncustomer: {dob}\nagent: and the card?\ncustomer: {card}, code on the back {cvv}",
    "Escalation {~ticket}: caller verified with SSN {ssn}, DOB {dob}. Device on firmware {~version}.",
    "Caller gave passport number {us_passport} and flight {~sku}; reservation {~order}.",
    "Guest register: passport no. {de_passport}, arrival {~day}, room {~count}",
    "Visa desk. Passport No: {in_passport}. Appointment {~stamp}. Receipt {~invoice}.",
    "Numéro de passeport : {fr_passport}, dossier {~order}",
    # chat in many languages
    "Kunde: meine Steuer-ID ist {steuer}, ruf mich bitte unter {tel_de} an. Bestellung {~order}",
    "Bonjour, mon numéro de sécurité sociale est le {nir} et mon téléphone {tel_fr}. Commande {~order}.",
    "Hola, mi DNI es {dni} y mi móvil {tel_es}; el pedido es {~order}.",
    "Ciao, il mio codice fiscale è {fiscale}, cellulare {tel_it}, ordine {~order}",
    "Olá, o meu NIF é {portuguese} e o telemóvel {tel_pt}. Encomenda {~order}",
    "Oi, meu CPF é {cpf}, celular {tel_br}, pedido {~order}",
    "Hoi, mijn BSN is {bsn} en mijn telefoonnummer {tel_nl}. Bestelnummer {~order}",
    "Dag, mijn rijksregisternummer is {belgian}, factuur {~invoice}",
    "Cześć, mój PESEL to {pesel}, telefon {tel_pl}, zamówienie {~order}",
    "Dobrý den, moje rodné číslo je {rodne}, telefon {tel_cz}, objednávka {~order}",
    "Bună ziua, CNP-ul meu este {cnp}, telefon {tel_ro}, comanda {~order}",
    "Здравейте, моето ЕГН е {egn}, поръчка {~order}",
    "Hej, mitt personnummer är {personnummer}, ring {tel_se}. Ordernummer {~order}",
    "Hei, henkilötunnukseni on {hetu}, puhelin {tel_fi}. Tilaus {~order}",
    "Hei, fødselsnummeret mitt er {norwegian}. Ordre {~order}",
    "Tere, minu isikukood on {isikukood}, tellimus {~order}",
    "Merhaba, TC kimlik numaram {tckn}, telefonum {tel_tr}, sipariş {~order}",
    "Здравствуйте, мой ИНН {inn}, СНИЛС {snils}, телефон {tel_ru}, заказ {~order}",
    "Добрий день, мій РНОКПП {rnokpp}, телефон {tel_ua}, замовлення {~order}",
    "こんにちは、マイナンバーは{my_number}、電話番号は{tel_jp}です。注文番号 {~order}",
    "你好，我的身份证号是{chinese}，手机号{tel_cn}，订单号 {~order}",
    "안녕하세요, 주민등록번호 {rrn}, 휴대폰 {tel_kr}, 주문번호 {~order}",
    "您好，我的身分證字號是 {taiwan}，訂單 {~order}",
    "שלום, תעודת הזהות שלי {israeli}, טלפון {tel_il}, הזמנה {~order}",
    "नमस्ते, मेरा आधार नंबर {aadhaar} है, मोबाइल {tel_in}, ऑर्डर {~order}",
    "สวัสดีค่ะ เลขบัตรประชาชน {thai} คำสั่งซื้อ {~order}",
    "Xin chào, số điện thoại của tôi là {tel_vn}, đơn hàng {~order}",
    "Halo, nomor HP saya {tel_id}, pesanan {~order}, email {email}",
    "Καλημέρα, το ΑΦΜ μου είναι {afm}, κινητό {tel_gr}, παραγγελία {~order}",
    "مرحبا، رقم هاتفي {tel_eg} والبريد {email}، الطلب {~order}",
    "Szia, a telefonszámom {tel_hu}, rendelés {~order}",
    "Hej, mit telefonnummer er {tel_dk}, ordre {~order}",
    "Bok, moj OIB je {oib}, narudžba {~order}",
    "Grüezi, meine AHV-Nummer lautet {ahv}, Police {~sku}",
    "Meine Sozialversicherungsnummer ist {svnr}, Akt {~ticket}",
    # files of staff
    "Employee record\n  Name: L. Oyelaran\n  National Insurance no.: {nino}\n  Date of birth: {dob}\n  Bank: sort code {sort}, account number {account_no}\n  Start: {~day}\n  Staff no: {~account}",
    "onboarding.yaml\nemployee:\n  ssn: {ssn}\n  birth_date: {dob}\n  personal_email: {email}\n  mobile: '{phone}'\n  badge: {~account}\n  grade: {~count}",
    "Driver file: driving licence number {uk_licence}, vehicle registration {plate}, mileage {~count}",
    "Driver's license: {us_licence} (CA), exp {~day}, policy {~sku}",
    "SIN: {sin}\nRL-1 slip for {~range}\nBox A {~money}",
    "TFN {tfn} supplied; super fund member {~account}; mobile {tel_au}",
    "ID number: {south_african}. Cell: {tel_za}. Claim {~ticket}.",
    "PAN: {pan}, Form 16 for FY {~range}, salary {~money}",
    "CURP: {curp}. Folio {~invoice}.",
    "RUT {rut}, boleta {~invoice}, total {~money}",
    "CUIT {cuit} factura {~invoice}",
    "NRIC: {nric}; CPF contribution {~money}; ref {~order}",
    "PPS number {ppsn}; payslip of {~day}; gross {~money}",
    "Employee is {religion} by religion and asked for leave on {~day}.",
    "The applicant was {crime} in {~range}; file {~ticket}.",
    "He told HR in confidence that he is {orientation}; note of {~day}.",
    # health
    "Patient was diagnosed with {illness}; review on {~day}, bed {~count}.",
    '{"resourceType":"Patient","id":"{~uuid}","meta":{"versionId":"{~count}"},"telecom":[{"system":"phone","value":"{phone}"},{"system":"email","value":"{email}"}],"birthDate":"{dob}"}',
    "MSH|^~\\&|LAB|WARD|EHR|HOSP|{~epoch}||ADT^A01|{~order}|P|2.5\nPID|1||MRN {mrn}^^^HOSP||OYELARAN^LINA||{dob}|F|||||{phone}",
    "NHS number: {nhs}. Referred {~day}. Form {~sku}.",
    "Prescriber NPI {npi}, DEA {dea}, NDC {~part}",
    "Medicare beneficiary identifier {mbi}; claim {~invoice}; paid {~money}",
    "MRN: {mrn}  Dx: {icd}  Visit {~stamp}",
    # money
    "INVOICE {~invoice}\nDue {~day}\nTotal {~money}\nBank: {swift} IBAN {iban}\nQuestions: {email}",
    "Wire: routing number {aba}, account number {account_no}, memo {~order}, amount {~money}",
    "SWIFT/BIC {swift} value date {~day} amount {~money}",
    "card_number={card}&exp=09/29&cvv={cvv}&order={~order}",
    "Buy 40 of ISIN {isin} at {~money}",
    "Send it to {wallet} please, invoice {~invoice}",
    "| {~order} | {~day} | {card} | {~money} |",
    # logs and devices
    "{~stamp} INFO sshd[{~count}]: Accepted publickey for deploy from {ip} port {~count} ssh2: SHA256:{~nonce}",
    '{ip} - - [{~stamp}] "GET /v1/items/{~objectid}?page={~count} HTTP/1.1" 200 {~count} "-" "Mozilla/{~version}"',
    "{~stamp} WARN auth user={email} ip={ip} trace={~md5} span={~short} dur={~ratio}",
    "dhcpd: DHCPACK on {ip} to {mac} via eth0, lease {~epoch}",
    "handset imei={imei} imsi={imsi} fw={~version} cell={~count}",
    "IDFA: {idfa}, campaign {~uuid}",
    "Telematics vin={vin} gps={pin} odo={~count} t={~epoch}",
    '{"user":"{~objectid}","home":{"latitude":{latlon},"zoom":{~ratio}},"ts":{~epoch}}',
    # code and settings
    'client = Client(token="{token}")  # build {~sha1}\nassert len(x) == {~count}',
    "export SERVICE_TOKEN={token}\nexport GIT_SHA={~sha1}\nexport VERSION={~version}",
    "DATABASE_URL={url}\nPOOL={~count}\n",
    "services:\n  app:\n    image: registry/app@{~digest}\n    environment:\n      - BROKER={url}\n      - DB_PASSWORD={password}",
    "curl -H 'Authorization: Bearer {token}' https://api.internal/v2/jobs/{~uuid}",
    "[default]\naws_access_key_id = {token}\naws_secret_access_key = {awssecret}\nregion = eu-west-1",
    'config["smtp_password"] = "{password}"\nlog.info("sent %s", "{~uuid}")',
    '{"apiKey": "{hexkey}", "requestId": "{~uuid}", "etag": "{~short}"}',
    "AccountName=blobs;AccountKey={azurekey};EndpointSuffix=core.windows.net",
    "key.pem of build {~short}:\n{pem}\nchecksum {~sha256}",
    'resource "db" "main" {\n  password = "{password}"\n  ami      = "ami-{~md5}"\n}',
    "hunter note: login admin / password: {password} (rotate before {~day})",
    "//registry.npmjs.org/:_authToken={token}\nintegrity={~integrity}",
    "<add key='SigningSecret' value='{hexkey}'/>\n<version>{~version}</version>",
    "{marking} – do not forward. Draft {~version} of {~day}.",
    # rows of tables
    "id,name,email,phone,created\n{~count},Lina,{email},{phone},{~day}\n{~count},Tom,{email},{phone},{~day}\n",
    "order;kunde_iban;betrag\n{~order};{iban};{~money}\n{~order};{iban};{~money}\n",
    "sku,ssn,qty\n{~sku},{ssn},{~count}\n{~sku},{ssn},{~count}\n",
    "ts,client_ip,path,bytes\n{~stamp},{ip},/a/{~short},{~count}\n{~stamp},{ip},/b/{~short},{~count}\n",
    '{"event":"signup","payload":{"email":"{email}","dob":"{dob}","ref":"{~ulid}"},"sig":"{~sha256}"}',
    '{"payment":{"pan":"{card}","id":"{~uuid}","amount":{~count}}}',
]

SILENT = [
    "Order {~order} shipped with {~tracking}; SKU {~sku}, part {~part}. Total {~money}.",
    "commit {~sha1}\nMerge: {~short} {~short}\nDate: {~stamp}\n\n    bump to {~version}",
    "{~stamp} DEBUG span={~trace} took={~ratio} rows={~count} id={~uuid}",
    "ISBN {~isbn}, first edition {~day}, {~count} pages. See also ISBN-10 {~isbn10} and doi:{~doi}.",
    "click at ({~pixels}), box [{~box}], scale {~ratio}, colour {~colour}",
    "release {~version} replaces {~version}; driver {~version}; build {~count}",
    "FROM base@{~digest}\nLABEL rev={~sha1} created={~epoch}",
    '"lodash": {"version": "{~version}", "integrity": "{~integrity}"}',
    '<img src="{~image}" width="{~count}">',
    "ETag: {~etag}\nX-Request-Id: {~uuid}\nCache-Key: {~md5}\nAge: {~count}",
    "SELECT * FROM parts WHERE part_no = '{~part}' AND ean = '{~ean}' LIMIT {~count}",
    "api_key = {~placeholder}\npassword: {~placeholder}\ntimeout: {~count}",
    "Set OPENAI_API_KEY={~placeholder} and run version {~version}.",
    "MIB {~oid} returned {~count}; address {~hexaddr}; module {~chip}",
    "Meeting {~day} {~range}, room {~count}, agenda {~ticket}",
    "Chip {~chip} rev {~version}, lot {~sku}, reel {~count}, date code {~count}",
    "The report of {~day} covers {~range}; see {~law} and {~law}. Budget {~money}.",
    "ref,ean,qty,price\n{~order},{~ean},{~count},{~money}\n{~order},{~ean},{~count},{~money}\n",
    "id,created_at,hash\n{~ulid},{~epoch},{~sha256}\n{~ulid},{~epoch},{~sha256}\n",
    '{"id":"{~objectid}","ts":{~epoch},"ns":{~ns},"bbox":[{~box}],"v":"{~version}","nonce":"{~nonce}"}',
    "Bestellung {~order} vom {~day}, Artikel {~sku}, Rechnung {~invoice}, Betrag {~money}",
    "Commande {~order} du {~day}, référence {~sku}, facture {~invoice}, montant {~money}",
    "Pedido {~order} del {~day}, artículo {~sku}, factura {~invoice}, importe {~money}",
    "Zamówienie {~order} z {~day}, faktura {~invoice}, kwota {~money}",
    "注文番号 {~order}、日付 {~day}、品番 {~part}、金額 {~money}",
    "订单号 {~order}，日期 {~day}，型号 {~chip}，金额 {~money}",
    "Sipariş {~order}, tarih {~day}, fatura {~invoice}, tutar {~money}",
    "Заказ {~order} от {~day}, артикул {~sku}, счёт {~invoice}, сумма {~money}",
    "주문번호 {~order}, 날짜 {~day}, 품번 {~part}",
    "الطلب {~order} بتاريخ {~day} رقم الفاتورة {~invoice}",
    "{~arn} invoked {~count} times, request {~uuid}, memory {~count} MB",
    "assert digest == '{~sha256}'\nassert short == '{~short}'\nSEED = {~count}\nMASK = {~hexaddr}",
    "Batch {~epoch} of {~phoneish}: {~ratio} loss, step {~count}, checkpoint {~short}",
    "kernel: [{~ratio}] BUG at {~hexaddr}, code {~hexaddr} {~hexaddr}, pid {~count}",
    "Part {~part} (was {~part}) fits {~chip}; tracking {~tracking}; invoice {~invoice}",
    "totp period {~count}; issuer tag {~base32} is the public label of the batch",
    "Warranty ends {~day}; last service {~day}; meter {~count} kWh; tariff {~ratio}",
    "{~ticket} duplicates {~ticket}; see build {~version}, agent {~uuid}, job {~objectid}",
    "Founded in {~range}, listed {~day}, {~count} employees, revenue {~money}",
    "stock {~count} / {~count}, bin {~sku}, last counted {~stamp}, serial {~sku}",
]  # fmt: skip

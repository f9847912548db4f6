"""Labelled texts of countries and layouts that no other set here has, made from a seed; check digits worked out here.

Nothing of the detector is used, so that a mistake in its arithmetic shows.
"""

import random

SLOT = "¤"


def documents(count, seed):
    """(text, [(start, end, type)]) — texts with values, and as many with what only looks like one."""
    chance = random.Random(seed)
    for number in range(count):
        template, *makers = chance.choice(SPEAKING if number % 2 else SILENT)
        text, spans = "", []
        for part, maker in zip(template.split(SLOT), [*makers, None], strict=True):
            text += part
            if maker is not None:
                kind, value = maker(chance)
                if kind:
                    spans.append((len(text), len(text) + len(value), kind))
                text += value
        yield text, spans


def digits(chance, size, first="0123456789"):
    return chance.choice(first) + "".join(chance.choices("0123456789", k=size - 1))


def total(text, weights):
    return sum(int(char) * weight for char, weight in zip(text, weights, strict=True))


def pesel(chance):
    body = f"{chance.randrange(40, 99)}{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d}{digits(chance, 4)}"
    return "NATIONAL_ID", body + str(-total(body, (1, 3, 7, 9) * 2 + (1, 3)) % 10)


def bsn(chance):
    while True:
        body = digits(chance, 8, "123456789")
        check = total(body, range(9, 1, -1)) % 11
        if check < 10:
            return "NATIONAL_ID", body + str(check)


def aadhaar(chance):
    def turned(a, b):
        if a < 5:
            return (a + b) % 5 + 5 * (b >= 5)
        return (a - b) % 5 + 5 * (b < 5)

    step = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    while True:
        value = digits(chance, 12, "23456789")
        check = 0
        for place, char in enumerate(reversed(value)):
            figure = int(char)
            for _ in range(place % 8):
                figure = step[figure]
            check = turned(check, figure)
        if check == 0:
            return "NATIONAL_ID", f"{value[:4]} {value[4:8]} {value[8:]}"


def kimlik(chance):
    body = digits(chance, 9, "123456789")
    tenth = (7 * sum(map(int, body[::2])) - sum(map(int, body[1::2]))) % 10
    return "NATIONAL_ID", f"{body}{tenth}{(sum(map(int, body)) + tenth) % 10}"


def swedish(chance):
    body = f"{chance.randrange(40, 99)}{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d}{digits(chance, 3)}"
    doubled = "".join(str(int(char) * (2 - place % 2)) for place, char in enumerate(body))
    check = -sum(map(int, doubled)) % 10
    return "NATIONAL_ID", f"{body[:6]}-{body[6:]}{check}"


def card(chance):
    body = chance.choice(("4539", "5412", "6011", "3566")) + digits(chance, 11)
    doubled = "".join(str(int(char) * (2 - place % 2)) for place, char in enumerate(body))
    value = body + str(-sum(map(int, doubled)) % 10)
    return "CREDIT_CARD", chance.choice((value, f"{value[:4]}-{value[4:8]}-{value[8:12]}-{value[12:]}"))


def wrong_card(chance):
    value = card(chance)[1]
    return "", value[:-1] + str((int(value[-1]) + 3) % 10)


def iban(chance):
    country, size = chance.choice((("NO", 11), ("CZ", 20), ("PT", 21), ("AT", 16), ("BE", 12)))
    body = digits(chance, size)
    number = int("".join(str(int(char, 36)) for char in body + country) + "00")
    return "IBAN", f"{country}{98 - number % 97:02d}{body}"


def date(chance, form):
    year, month, day = chance.randrange(1935, 2010), chance.randrange(1, 13), chance.randrange(1, 29)
    return form.format(y=year, m=month, d=day)


def alnum(chance, size):
    letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    return "".join(chance.choices(letters, k=size - 3)) + "7Kq"


def of(kind, make):
    return lambda chance: (kind, make(chance))


def email(chance):
    name = chance.choice(("kari.nordmann", "m_yilmaz", "zofia+sklep", "nguyen.van.a", "o'hara", "p.janssen"))
    domain = chance.choice(("fjordbank.no", "sklep24.pl", "istanbul.gov.tr", "post.cz"))
    return "EMAIL", f"{name}{chance.randrange(99)}@{domain}"


oslo = of("PHONE", lambda c: f"+47 {digits(c, 3, '49')} {digits(c, 2)} {digits(c, 3)}")
warsaw = of("PHONE", lambda c: f"+48 {digits(c, 3, '567')} {digits(c, 3)} {digits(c, 3)}")
seoul = of("PHONE", lambda c: f"010-{digits(c, 4, '23456789')}-{digits(c, 4)}")
ankara = of("PHONE", lambda c: f"0{digits(c, 3, '5')} {digits(c, 3, '2345')} {digits(c, 2)} {digits(c, 2)}")
delft = of("PHONE", lambda c: f"06-{digits(c, 8, '12345')}")
dotted = of("DOB", lambda c: date(c, "{d:02d}.{m:02d}.{y}"))
dashed = of("DOB", lambda c: date(c, "{y}-{m:02d}-{d:02d}"))
korean = of("DOB", lambda c: date(c, "{y}년 {m}월 {d}일"))
written = of("DOB", lambda c: f"{c.randrange(1, 29)} {c.choice(('May', 'June', 'October'))} {c.randrange(1940, 2008)}")
passport = of("PASSPORT", lambda c: c.choice(("AB", "CC", "N")) + digits(c, 7))
gitlab = of("SECRET", lambda c: "glpat-" + alnum(c, 20))
sendgrid = of("SECRET", lambda c: f"SG.{alnum(c, 22)}.{alnum(c, 43)}")
phrase = of("SECRET", lambda c: c.choice(("Vinter", "Yagmur", "Kot")) + digits(c, 4) + c.choice("!#?"))
address = of("IP_ADDRESS", lambda c: f"{c.randrange(20, 90)}.{c.randrange(256)}.{c.randrange(256)}.7")
journal = of("MEDICAL", lambda c: "J" + digits(c, 7))
count = of("", lambda c: digits(c, c.choice((6, 9, 10, 12)), "123456789"))
moment = of("", lambda c: date(c, "2024-{m:02d}-{d:02d}"))
sha = of("", lambda c: "".join(c.choices("0123456789abcdef", k=40)))
edition = of("", lambda c: f"{c.randrange(1, 9)}.{c.randrange(30)}.{c.randrange(90)}.{c.randrange(200)}")

SPEAKING = [
    ("Hei, jeg heter Kari, ring meg på tlf ¤ eller skriv til ¤.", oslo, email),
    ("Klient: PESEL ¤, tel. kom. ¤, data urodzenia ¤", pesel, warsaw, dotted),
    ("고객 연락처 ¤, 생년월일 ¤ 확인 바랍니다", seoul, korean),
    ("TC Kimlik No: ¤\nCep telefonu: ¤", kimlik, ankara),
    ("Burgerservicenummer ¤ hoort bij rekening ¤ (mobiel ¤)", bsn, iban, delft),
    ("Applicant's Aadhaar ¤, born ¤, passport no. ¤", aadhaar, written, passport),
    ("| namn | personnummer | e-post |\n|---|---|---|\n| Ek | ¤ | ¤ |\n", swedish, email),
    ("patientnummer;journal;född\n¤;x;¤\n¤;y;¤\n", journal, dotted, journal, dashed),
    ("export GITLAB=¤\nSMTP_PASS: ¤\n# lösenord: ¤\n", gitlab, sendgrid, phrase),
    ("POST /pay pan=¤ ip=¤ order=¤", card, address, count),
    ('{"kart": {"numer karty": "¤", "iban": "¤"}}', card, iban),
]
SILENT = [
    ("Zamówienie ¤ wysłano ¤, faktura ¤.", count, moment, count),
    ("sipariş no ¤, sürüm ¤, ödeme ¤", count, edition, moment),
    ("commit ¤ released ¤ with ¤ downloads", sha, moment, count),
    ("firmware ¤ on unit ¤, checked ¤", edition, count, moment),
    ("kortnummer i testen: ¤ er ugyldig", wrong_card),
    ("id,antal,dato\n¤,¤,¤\n", count, count, moment),
    ("password = ${VAULT_DB}\ntoken: <paste here>\nsecret_ref: prod/¤", count),
    ("Meet at 10:30, room 4-12, budget 1 250 000 kr, page ¤ of ¤", count, count),
]

"""Write the synthetic customer data of the example estate again: ``python examples/make_estate_data.py``.

Nobody in it exists. Names are combined at random, addresses are invented, mail domains end in ``.example`` (reserved),
phone numbers lie in the range that the German regulator sets aside for drama, IBANs have right checksums under bank
codes that were never issued, card numbers have right checksums in a range that payment processors publish for tests.
The seed is fixed, so that the files do not change.
"""

from __future__ import annotations

import csv
import json
import random
from datetime import date, timedelta
from pathlib import Path

ESTATE = Path(__file__).parent / "estate"
FIRST = [
    "Ada",
    "Aylin",
    "Bente",
    "Bruno",
    "Carla",
    "Cem",
    "Dana",
    "Emre",
    "Fenja",
    "Florian",
    "Greta",
    "Hanno",
    "Ida",
    "Imke",
    "Jale",
    "Jonas",
    "Karla",
    "Kian",
    "Lene",
    "Levin",
    "Malte",
    "Mira",
    "Nele",
    "Nikola",
    "Onno",
    "Paula",
    "Quirin",
    "Rieke",
    "Ruben",
    "Selin",
    "Silja",
    "Tarek",
    "Thea",
    "Ubbo",
    "Vera",
    "Wanja",
    "Xenia",
    "Yara",
    "Yusuf",
    "Zora",
]
LAST = [
    "Abendroth",
    "Ahlers",
    "Bachmeyer",
    "Brandis",
    "Castorp",
    "Dahlhoff",
    "Demirel",
    "Eickelborn",
    "Falkenrath",
    "Gerwien",
    "Hallstein",
    "Iversen",
    "Jansohn",
    "Kaltwasser",
    "Lindqvist",
    "Marschall",
    "Nordhoff",
    "Oelkers",
    "Petrowsky",
    "Quandtner",
    "Rademaker",
    "Sandvoss",
    "Tiedemann",
    "Uhlenbrock",
    "Vossberg",
    "Wieczorek",
    "Yildirim",
    "Zellweg",
]
STREETS = [
    "Ahornweg",
    "Birkenallee",
    "Deichstrasse",
    "Erlengrund",
    "Feldrain",
    "Gartenpfad",
    "Hafenkai",
    "Kastanienhof",
    "Lindenplatz",
    "Mühlbach",
]
CITIES = (("20459", "Hamburg"), ("28195", "Bremen"), ("48143", "Münster"), ("04109", "Leipzig"), ("50667", "Köln"))
MAIL = ("mailhaven.example", "postfach.example", "briefkasten.example")
NOTES = ("", "", "", "vegetarian", "nut allergy, carries an adrenaline pen", "coeliac disease", "type 2 diabetes")
PROBLEMS = (
    ("my box arrived a day late and the fish was warm", "I am sorry. I have credited the box to your account."),
    ("I was charged twice this week", "I see both charges. The second one goes back to the account it came from."),
    ("please change my delivery day to Thursday", "Done, your next box comes on Thursday."),
    ("one recipe had peanuts although I told you about my allergy", "That must not happen. I have told our kitchen."),
    ("I want to pause my plan for three weeks", "Your plan rests until you wake it up again."),
    ("the voucher code does not work", "I have applied the voucher by hand."),
)


def iban(dice: random.Random) -> str:
    """A German IBAN with right check digits; bank codes that start with 0 are not issued."""
    account = f"0{dice.randrange(10**7):07d}{dice.randrange(10**10):010d}"
    check = 98 - int(account + "131400") % 97
    return f"DE{check:02d}{account}"


def card(dice: random.Random) -> str:
    """A card number with a right Luhn digit in the 411111 test range."""
    body = f"411111{dice.randrange(10**9):09d}"
    total = 0
    for index, digit in enumerate(reversed(body)):
        doubled = int(digit) * 2 if index % 2 == 0 else int(digit)
        total += doubled - 9 if doubled > 9 else doubled
    return body + str(-total % 10)


def person(dice: random.Random, number: int) -> dict[str, str]:
    first, last = dice.choice(FIRST), dice.choice(LAST)
    postcode, city = dice.choice(CITIES)
    return {
        "customer_id": f"FR-{10_000 + number}",
        "full_name": f"{first} {last}",
        "email": f"{first}.{last}{number}@{dice.choice(MAIL)}".lower(),
        "phone": f"+49 30 23125 {dice.randrange(1000):03d}",
        "birth_date": (date(1948, 1, 1) + timedelta(days=dice.randrange(20_000))).isoformat(),
        "street": f"{dice.choice(STREETS)} {dice.randrange(1, 120)}",
        "postcode": postcode,
        "city": city,
        "iban": iban(dice),
        "diet_notes": dice.choice(NOTES),
    }


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    dice = random.Random(20_261_122)  # noqa: S311 (not for secrets)
    people = [person(dice, number) for number in range(200)]

    conversations = []
    for customer in people:
        question, answer = dice.choice(PROBLEMS)
        conversations.append({**customer, "question": question, "answer": answer})
    write_csv(ESTATE / "support-llm/data/customer_conversations.csv", conversations)

    tickets = ESTATE / "support-agent/data/tickets.jsonl"
    tickets.parent.mkdir(parents=True, exist_ok=True)
    with tickets.open("w", encoding="utf-8") as out:
        for number, customer in enumerate(people[:120]):
            question, answer = dice.choice(PROBLEMS)
            paid = dice.choice((f"my account {customer['iban']}", f"my card {card(dice)}"))
            text = f"Hello, {question}. It was paid from {paid}. Regards, {customer['full_name']}, {customer['email']}"
            ticket = {"ticket": 70_000 + number, "customer_id": customer["customer_id"], "text": text, "answer": answer}
            out.write(json.dumps(ticket, ensure_ascii=False) + "\n")

    kept = ("full_name", "email", "phone", "city", "diet_notes")
    lapsed = [
        {**{key: row[key] for key in kept}, "last_box": f"2026-0{dice.randrange(1, 7)}-15"} for row in people[::4]
    ]
    write_csv(ESTATE / "growth-notebooks/data/lapsed_customers.csv", lapsed)

    features = [
        {
            **{key: row[key] for key in ("customer_id", "email", "birth_date")},
            "boxes": str(dice.randrange(1, 90)),
            "complaints": str(dice.randrange(6)),
            "left": str(int(dice.random() < 0.2)),
        }
        for row in people
    ]
    write_csv(ESTATE / "churn-model/data/churn_features.csv", features)

    staff = []
    for number in range(40):
        row = person(dice, 900 + number)
        staff.append(
            {
                "employee": row["full_name"],
                "work_email": f"{row['full_name'].replace(' ', '.').lower()}@fennelrye.example",
                "iban": row["iban"],
                "sick_days": str(dice.randrange(20)),
                "diagnosis": dice.choice(("", "", "influenza", "lumbago", "burnout", "migraine")),
            }
        )
    write_csv(ESTATE / "hr-bot/data/sick_leave.csv", staff)


if __name__ == "__main__":
    main()

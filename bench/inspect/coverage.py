"""What the pack covers, counted from its rows: countries, kinds of credentials, languages, types.

python bench/inspect/coverage.py
"""

from collections import Counter, defaultdict

from penstock.inspect.sensitive.rows import shapes
from penstock.knowledge.pack import header, load_pack


def main() -> None:
    rows = shapes()
    countries: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.country:
            countries[row.type].update(row.country.split())
    ids = countries["NATIONAL_ID"]
    print(f"rules                                {len(rows):5}")
    print(f"countries with national or tax ids   {len(ids):5}  {' '.join(sorted(ids))}")
    print(f"kinds of credentials                 {len(credentials()):5}")
    concepts = header("sensitive")["concepts"]
    print(f"concepts of context words            {len(concepts):5}  languages of each:")
    for name, words in concepts.items():
        print(f"    {name:20} {len(words):3}  {' '.join(words)}")
    print("types and their rules:")
    for kind, count in sorted(Counter((row.category, row.type) for row in rows).items()):
        print(f"    {kind[0]:17} {kind[1]:20} {count:4}  {' '.join(sorted(countries[kind[1]]))[:60]}")


def credentials() -> list[str]:
    """A kind is an issuer's key of one form: a template of a row's ``key``, or a row of another form."""
    return [
        kind for row in load_pack("sensitive").rows if row.category == "credentials" for kind in (row.key or (row.id,))
    ]


if __name__ == "__main__":
    main()

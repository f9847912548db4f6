"""LDIF (RFC 2849): the people and groups of an LDAP directory, and changes to it.

Who has left is told by what the common servers set: Active Directory's disabled account (``userAccountControl`` & 2),
``nsAccountLock``, OpenLDAP's permanent lock, an employee status, a deleted entry, or a branch for leavers. A group
that was renamed keeps its old name as a second ``cn`` or in a ``modrdn`` record.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import replace

from penstock.discover.data.lineage.saying import Saying
from penstock.discover.organisation.directory import Entry, Group, tell
from penstock.graph.vocabulary import Unseen

#: Records, and bytes of one value: photographs are left out.
MOST, LONGEST = 500_000, 4_096
_PEOPLE = frozenset({"person", "inetorgperson", "organizationalperson", "user", "posixaccount"})
_GROUPS = frozenset({"group", "groupofnames", "groupofuniquenames", "posixgroup", "groupofmembers"})
_GONE_BRANCH = re.compile(
    r"(?:^|,)ou=(?:leavers?|former|former ?employees|terminated|ex-?employees|deprovisioned)(?:,|$)"
)
_GONE_STATUS = re.compile(r"terminated|inactive|left|leaver|former|resigned|retired|disabled|departed", re.IGNORECASE)
#: OpenLDAP's password policy: locked until somebody unlocks it.
_LOCKED_FOR_GOOD = "000001010000Z"
_BINARY = {"objectguid"}

Record = dict[str, list[str]]


def told(start: bytes) -> bool:
    return re.search(rb"(?im)\A(?:\xef\xbb\xbf)?(?:(?:#.*|version: *1)?\r?\n)*dn::? ?\S", start) is not None


def read(text: str, said: Saying) -> Iterator[Unseen]:
    """Say who is in the directory; entries that are broken are named and the others kept."""
    people: dict[str, Entry] = {}
    groups: dict[str, Group] = {}
    renamed: dict[str, tuple[str, str]] = {}
    broken = 0
    for number, (line, record) in enumerate(records(text)):
        if number >= MOST:
            yield _gap(said, f"entries after the first {MOST:,}", "the directory holds more")
            break
        if record is None:
            broken += 1
            continue
        name = _name(record["dn"][0])
        change = _one(record, "changetype").casefold() or "add"
        if change in ("modrdn", "moddn"):
            renamed[name] = _moved(name, record)
        elif change == "delete":
            _delete(name, people, groups, line)
        elif change == "modify":
            _modify(name, record, people, groups)
        elif kinds := {kind.casefold() for kind in record.get("objectclass", ())}:
            if kinds & _GROUPS:
                groups[name] = _group(name, record, line)
            elif kinds & _PEOPLE:
                people[name] = _person(name, record, line)
    if broken:
        yield _gap(said, f"{broken} entries", "they are no LDIF")
    _rename(people, groups, renamed)
    moved = {old: new for old, (new, _) in renamed.items()}
    by_login = {login.casefold(): key for key, entry in people.items() for login in entry.logins}

    def now(key: str) -> str:
        key = moved.get(key, key)
        return key if key in people or key in groups else by_login.get(key, key)

    tell(
        said,
        [replace(entry, manager=now(entry.manager), groups=tuple(map(now, entry.groups))) for entry in people.values()],
        [replace(group, members=tuple(map(now, group.members))) for group in groups.values()],
    )


def records(text: str) -> Iterator[tuple[int, Record | None]]:
    """Line number and attributes (names in lower case) of each record; None for one that is broken."""
    record: Record = {}
    start, whole = 1, True
    for number, line in _unfolded(text):
        if not line:
            if record or not whole:
                yield start, record if whole and "dn" in record else None
            record, whole = {}, True
            continue
        if line.startswith("#") or line == "-" or (not record and line.casefold().startswith("version:")):
            continue
        start = start if record else number
        name, colon, value = line.partition(":")
        if not colon or not re.fullmatch(r"[\w.;-]{1,100}", name):
            whole = False
            continue
        decoded = _value(name.partition(";")[0].casefold(), value)
        if decoded is None:
            whole = False
        elif decoded:
            record.setdefault(name.partition(";")[0].casefold(), []).append(decoded)
    if record or not whole:
        yield start, record if whole and "dn" in record else None


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Lines with those that go on joined, and an empty one at the end of each record."""
    held: list[str] = []
    start = 1
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(" ") and held:
            if sum(map(len, held)) <= 4 * LONGEST:
                held.append(line[1:])
            continue
        if held:
            yield start, "".join(held)
        held, start = [line], number
        if not line:
            yield number, ""
            held = []
    if held:
        yield start, "".join(held)


def _value(name: str, value: str) -> str | None:
    """The value as text; "" for what is left out (addresses of files, long and binary values), None for broken."""
    if value.startswith("<") or len(value) > 2 * LONGEST:
        return ""
    if not value.startswith(":"):
        return value.strip()[:LONGEST]
    try:
        raw = base64.b64decode(value[1:].strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    if name in _BINARY:
        return raw.hex() if len(raw) <= 64 else ""
    try:
        return raw.decode("utf-8").strip()[:LONGEST]
    except UnicodeDecodeError:
        return ""


def _person(name: str, record: Record, line: int) -> Entry:
    mails = [mail for mail in record.get("mail", []) if "@" in mail]
    principal = _one(record, "userprincipalname")
    logins = [
        *record.get("uid", ()), *record.get("samaccountname", ()), *record.get("objectguid", ()),
        *record.get("entryuuid", ()), *record.get("nsuniqueid", ()), principal, *mails[1:],
    ]  # fmt: skip
    return Entry(
        key=name,
        email=mails[0] if mails else principal if "@" in principal else "",
        logins=tuple(filter(None, logins)),
        shown=_one(record, "displayname") or _one(record, "cn"),
        left=_left(name, record),
        manager=_name(_one(record, "manager")),
        groups=tuple(_name(group) for group in record.get("memberof", ())),
        place=line,
    )


def _left(name: str, record: Record) -> bool:
    control = _one(record, "useraccountcontrol")
    states = [_one(record, key) for key in ("employeestatus", "employmentstatus", "status", "inetuserstatus")]
    return (
        (control.isdigit() and int(control[:9]) & 2 == 2)
        or _one(record, "nsaccountlock").casefold() == "true"
        or _one(record, "logindisabled").casefold() == "true"
        or _one(record, "pwdaccountlockedtime") == _LOCKED_FOR_GOOD
        or any(_GONE_STATUS.fullmatch(state) for state in states)
        or _GONE_BRANCH.search(name) is not None
    )


def _group(name: str, record: Record, line: int) -> Group:
    own = name.partition(",")[0].partition("=")[2]
    names = record.get("cn", []) or record.get("name", [])
    shown = next((cn for cn in names if cn.casefold() == own), names[0] if names else own)
    members = [*record.get("member", ()), *record.get("uniquemember", ())]
    return Group(
        key=name,
        name=shown,
        members=(*map(_name, members), *(uid.casefold() for uid in record.get("memberuid", ()))),
        formerly=tuple(cn for cn in names if cn != shown),
        email=_one(record, "mail"),
        place=line,
    )


def _modify(name: str, record: Record, people: dict[str, Entry], groups: dict[str, Group]) -> None:
    """A change record: members that come and go, and what tells that somebody left."""
    if (entry := people.get(name)) is not None and _left(name, record):
        people[name] = replace(entry, left=True)
    if (group := groups.get(name)) is not None:
        listed = tuple(_name(m) for key in ("member", "uniquemember") for m in record.get(key, ()))
        if {"member", "uniquemember"} & {key.casefold() for key in record.get("add", ())}:
            members = (*group.members, *listed)
        elif {"member", "uniquemember"} & {key.casefold() for key in record.get("delete", ())}:
            members = tuple(m for m in group.members if m not in listed)
        elif {"member", "uniquemember"} & {key.casefold() for key in record.get("replace", ())}:
            members = listed
        else:
            return
        groups[name] = replace(group, members=members)


def _delete(name: str, people: dict[str, Entry], groups: dict[str, Group], line: int) -> None:
    """Who is deleted has left; the entry may be known from before, or only by its name."""
    if (group := groups.get(name)) is not None:
        groups[name] = replace(group, members=(), gone=True)
    elif name in people:
        people[name] = replace(people[name], left=True)
    elif match := re.match(r"uid=([^,]+),", name):
        people[name] = Entry(name, logins=(match[1],), left=True, place=line)


def _moved(name: str, record: Record) -> tuple[str, str]:
    """The distinguished name after a rename, and the bare new name."""
    rdn = _one(record, "newrdn")
    above = _name(_one(record, "newsuperior")) or name.partition(",")[2]
    return f"{_name(rdn)},{above}", rdn.partition("=")[2].strip()


def _rename(people: dict[str, Entry], groups: dict[str, Group], renamed: dict[str, tuple[str, str]]) -> None:
    for old, (new, bare) in renamed.items():
        if (group := groups.pop(old, None)) is not None:
            former = (*group.formerly, *((group.name,) if group.name != bare else ()))
            groups[new] = replace(group, key=new, name=bare, formerly=former)
        elif (entry := people.pop(old, None)) is not None:
            people[new] = replace(entry, key=new, left=entry.left or _GONE_BRANCH.search(new) is not None)


def _name(dn: str) -> str:
    """A distinguished name as it is compared: lower case, no space around its parts."""
    return ",".join(re.sub(r"\s*=\s*", "=", part.strip()) for part in re.split(r"(?<!\\),", dn)).casefold()


def _one(record: Record, name: str) -> str:
    return next(iter(record.get(name, ())), "")


def _gap(said: Saying, what: str, why: str) -> Unseen:
    return Unseen(said.path, what, why, "Export it again", collector=said.collector, scope=said.scope)

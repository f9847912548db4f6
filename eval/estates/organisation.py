"""An organisation that is made up: who there is, what they have, and what ten tools say about it, right or wrong.

The world comes first (``World``): people, some of whom left; teams, some renamed, some inside others; things, each with
the claims that sources make about its owner. Files are written from it, and what is right is worked out from it alone,
by the order that the documentation promises: operator, declaration, catalogue, code owners, tags and on-call tools,
committers; who has left answers for nothing; nobody is guessed. Nothing of Penstock is used here.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

#: The promised order; equal strength: the first in this list.
STRENGTH = {
    "operator": 0, "declaration": 1, "backstage": 2, "opslevel": 3, "cortex": 4, "servicenow": 5, "codeowners": 6,
    "tags": 7, "kubernetes": 7, "pagerduty": 8, "opsgenie": 9,
}  # fmt: skip
_FIRST = (
    "ada bo cem dana eli fay gus hana ivo jun kai lea max nia ola pia raj sol tom uma vic wei xin yara zoe"
).split()
_LAST = ("abbas berg costa dubois eriksen fuchs garcia haas ito jansen kim lopez mori novak okafor petrov").split()
_NOUN = ("billing catalog checkout claims credit fraud freight intake ledger loyalty mail orders payroll pricing quote "
         "returns search shipping stock support tax tickets travel voucher wallet").split()  # fmt: skip
_PART = "api assistant batch bot core desk engine hub portal worker".split()


@dataclass
class Person:
    login: str
    email: str
    shown: str
    guid: str
    handle: str
    left: bool = False
    team: str = ""


@dataclass
class Team:
    name: str
    formerly: str = ""
    inside: str = ""
    members: list[Person] = field(default_factory=list)


@dataclass
class Thing:
    """claims: source → who it names (``team:x``, or a person's login). relies_on: names of other things."""

    name: str
    sort: str  # repository | service | resource | bucket | workload
    claims: dict[str, str] = field(default_factory=dict)
    relies_on: list[str] = field(default_factory=list)
    process: str = ""
    special: str = ""


@dataclass
class World:
    seed: int
    people: dict[str, Person]
    teams: dict[str, Team]
    things: dict[str, Thing]
    domains: dict[str, str]
    operator: dict[str, str]
    forked: list[str] = field(default_factory=list)


def world(seed: int, repositories: int = 70) -> World:
    """The organisation of a seed: about three things for each repository."""
    dice = random.Random(seed)  # noqa: S311 (a world that can be made again)
    people = _people(dice, 70)
    teams = _teams(dice, list(people.values()))
    names = [f"{noun}-{part}" for noun in _NOUN for part in _PART]
    dice.shuffle(names)
    things: dict[str, Thing] = {}

    def add(sort: str, count: int, sources: tuple[str, ...], share: float) -> list[Thing]:
        made = []
        for _ in range(count):
            thing = Thing(names.pop(), sort)
            for source in sources:
                if dice.random() < share:
                    thing.claims[source] = _claim(dice, source, teams, people)
            things[thing.name] = thing
            made.append(thing)
        return made

    third = repositories // 3
    registers = ("backstage", "opslevel", "cortex")
    for thing in add("repository", repositories, ("declaration", "codeowners", "servicenow", "pagerduty"), 0.3):
        if dice.random() < 0.7:
            thing.claims[dice.choice(registers)] = _claim(dice, "backstage", teams, people)
        thing.process = dice.choice(_NOUN)
    add("resource", third, ("backstage",), 0.85)
    add("service", third, ("servicenow", "pagerduty", "opsgenie"), 0.5)
    add("bucket", third, ("tags",), 0.75)
    add("workload", third, ("kubernetes", "codeowners"), 0.6)
    _dependencies(dice, things)
    domains = {noun: dice.choice(("commerce", "operations", "people")) for noun in _NOUN}
    listed = sorted(t.name for t in things.values() if t.sort in ("repository", "service"))
    operator = {name: f"team:{dice.choice(sorted(teams))}" for name in dice.sample(listed, 5)}
    called = [t.name for t in things.values() if t.sort == "repository" and {"servicenow", "pagerduty"} & set(t.claims)]
    return World(seed, people, teams, things, domains, operator, dice.sample(called, 6))


def _people(dice: random.Random, count: int) -> dict[str, Person]:
    made: dict[str, Person] = {}
    pairs = [(first, last) for first in _FIRST for last in _LAST]
    for first, last in dice.sample(pairs, count):
        login = f"{first[0]}{last}{dice.randrange(10, 99)}"
        guid = f"{dice.getrandbits(32):08x}-1000-4000-8000-{dice.getrandbits(48):012x}"
        shown = f"{first.capitalize()} {last.capitalize()}"
        if made and dice.random() < 0.05:  # two people of one name
            shown = next(iter(made.values())).shown
        made[login] = Person(
            login, f"{first}.{last}@corp.example", shown, guid, f"{last}{first[0]}-dev", dice.random() < 0.15
        )
    return made


def _teams(dice: random.Random, people: list[Person]) -> dict[str, Team]:
    teams: dict[str, Team] = {}
    for number, noun in enumerate(dice.sample(_NOUN, 14)):
        teams[f"{noun}-crew"] = Team(f"{noun}-crew", f"old-{noun}-squad" if number % 4 == 0 else "")
    listed = list(teams.values())
    for team in listed[9:12]:
        team.inside = dice.choice(listed[:9]).name
    for person in people:
        team = dice.choice(listed[:13])
        team.members.append(person)
        person.team = team.name
    for person in dice.sample(people, 3):  # everybody of the last team has left
        person.left = True
        teams[person.team].members.remove(person)
        listed[13].members.append(person)
        person.team = listed[13].name
    return teams


def _claim(dice: random.Random, source: str, teams: dict[str, Team], people: dict[str, Person]) -> str:
    if source in ("tags", "kubernetes", "pagerduty", "opsgenie") or dice.random() < 0.7:
        return f"team:{dice.choice(sorted(teams))}"
    return dice.choice(sorted(people))


def _dependencies(dice: random.Random, things: dict[str, Thing]) -> None:
    """Without cycles: each relies on what comes after it. Only where a format can say so."""
    listed = [t for t in things.values() if t.sort in ("repository", "service", "resource")]
    for number, thing in enumerate(listed):
        later = listed[number + 1 :]
        if thing.sort == "repository" and {"backstage", "opslevel", "cortex"} & set(thing.claims):
            allowed = [t for t in later if t.sort != "resource" or "backstage" in thing.claims]
        elif thing.sort == "service":
            allowed = [t for t in later if t.sort == "service"]
        else:
            continue
        thing.relies_on = [t.name for t in dice.sample(allowed, min(len(allowed), dice.randrange(3)))]


# ── what is right ────────────────────────────────────────────────────────────────────────────────────────────────────


def expected(world: World) -> dict[str, dict[str, object]]:
    """Name → owner (a team's name, a person's address, "" for nobody), affected (names), conflict (whether any)."""
    return {
        name: {
            "owner": _owner(world, thing),
            "affected": sorted(_affected(world, thing)),
            "conflict": _conflict(world, thing),
        }
        for name, thing in world.things.items()
    }


def _standing(world: World, thing: Thing) -> list[str]:
    """Who is named and still there, strongest source first."""
    claims = {source: who for source, who in thing.claims.items() if source not in _BY_NAME or is_told(world, thing)}
    if thing.name in world.operator:
        claims["operator"] = world.operator[thing.name]
    ordered = sorted(claims.items(), key=lambda claim: STRENGTH[claim[0]])
    return [
        _shown(world, who, source) for source, who in ordered if _unclear(world, who, source) or not _gone(world, who)
    ]


def _unclear(world: World, who: str, source: str) -> bool:
    """Whether a source writes a person's name as two people bear it: it means neither, and is told as it stands."""
    if source != "servicenow" or who.startswith("team:"):
        return False
    return sum(p.shown == world.people[who].shown for p in world.people.values()) > 1


#: Sources that know a repository by its name alone.
_BY_NAME = frozenset({"servicenow", "pagerduty", "opsgenie"})


def is_told(world: World, thing: Thing) -> bool:
    """Whether a name means the thing: of two repositories of one name, the one that a register file lies in."""
    return thing.name not in world.forked or bool({"backstage", "opslevel", "cortex"} & set(thing.claims))


def _owner(world: World, thing: Thing) -> str:
    return next(iter(_standing(world, thing)), "")


def _conflict(world: World, thing: Thing) -> bool:
    return len(set(_standing(world, thing))) > 1


def _gone(world: World, who: str) -> bool:
    if not who.startswith("team:"):
        return world.people[who].left
    members = everybody_in(world, who.removeprefix("team:"))
    return bool(members) and all(person.left for person in members)


def everybody_in(world: World, team: str) -> list[Person]:
    inner = [name for name, other in world.teams.items() if other.inside == team]
    return [*world.teams[team].members, *(person for name in inner for person in everybody_in(world, name))]


def _shown(world: World, who: str, source: str) -> str:
    if who.startswith("team:"):
        return who.removeprefix("team:")
    return (
        world.people[who].shown.lower().replace(" ", "-") if _unclear(world, who, source) else world.people[who].email
    )


def _affected(world: World, thing: Thing) -> set[str]:
    """Everything that relies on the thing, however far, and the processes that these support."""
    found: set[str] = set()
    todo = [thing.name]
    while todo:
        here = todo.pop()
        for other in world.things.values():
            if here in other.relies_on and is_told(world, world.things[here]) and other.name not in found:
                found.add(other.name)
                todo.append(other.name)
    applications = {n for n in found if world.things[n].sort in ("repository", "service")}
    processes = {_said_process(world.things[name]) for name in {*found, thing.name}} - {""}
    return {*applications, *processes, *(world.domains[name] for name in processes)}


def _said_process(thing: Thing) -> str:
    return thing.process if {"backstage", "opslevel"} & set(thing.claims) else ""


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def write(world: World, folder: Path) -> list[Path]:
    """The estate: repositories under ``repos/``, exports beside them (returned), the operator's ``penstock.yaml``."""
    dice = random.Random(world.seed + 1)  # noqa: S311
    folder.mkdir(parents=True, exist_ok=True)
    for thing in world.things.values():
        if thing.sort == "repository":
            _repository(world, thing, folder / "repos" / thing.name, dice)
    _namesakes(world, folder / "repos")
    _catalogue(world, folder / "repos" / "catalogue", dice)
    _cluster(world, folder / "repos", dice)
    exports = {
        "scim.json": _scim(world), "people.ldif": _ldif(world), "servicenow.json": _servicenow(world),
        "users.csv": _users(world), "pagerduty.json": _pagerduty(world), "opsgenie.json": _opsgenie(world, dice),
        "terraform.tfstate": _state(world, dice),
    }  # fmt: skip
    for name, text in exports.items():
        (folder / name).write_text(text, encoding="utf-8")
    owners = "".join(f"  {name}: {_as_named(world, who, dice)}\n" for name, who in world.operator.items())
    (folder / "penstock.yaml").write_text(
        f"security_team: security\ndata_protection_officer: dpo@corp.example\nlegal: legal\nowners:\n{owners}"
    )
    return [folder / name for name in exports]


def _as_named(world: World, who: str, dice: random.Random, style: str = "") -> str:
    """How a source writes it: a team by its new or old name; a person by login or address."""
    if who.startswith("team:"):
        team = world.teams[who.removeprefix("team:")]
        return team.formerly if team.formerly and dice.random() < 0.4 else team.name
    person = world.people[who]
    return person.login if style == "login" else person.email


def _repository(world: World, thing: Thing, folder: Path, dice: random.Random) -> None:
    _git(folder, f"https://git.example.com/corp/{thing.name}.git")
    files = {
        "app/main.py": "from openai import OpenAI\n\nclient = OpenAI()\n"
        'client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])\n'
    }
    for source, who in thing.claims.items():
        if source in _WRITERS:
            path, text = _WRITERS[source](world, thing, who, dice)
            files[path] = text
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def _namesakes(world: World, folder: Path) -> None:
    """Forks under the name of things that on-call tools know too: whose service it is, is not to be told by name."""
    for name in world.forked:
        place = folder / f"fork-of-{name}"
        _git(place, f"https://git.example.com/forks/{name}.git")
        (place / "app.py").write_text("print('a fork')\n", encoding="utf-8")
        (place / "CODEOWNERS").write_text("* @corp/forkers\n", encoding="utf-8")


def _git(folder: Path, remote: str) -> None:
    (folder / ".git").mkdir(parents=True, exist_ok=True)
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / ".git" / "config").write_text(f'[remote "origin"]\n\turl = {remote}\n')
    for inner in ("objects", "refs"):
        (folder / ".git" / inner).mkdir(exist_ok=True)


def _declaration(world: World, thing: Thing, who: str, dice: random.Random) -> tuple[str, str]:
    named = _as_named(world, who, dice)
    return "ai-system.yaml", f"system:\n  name: {thing.name}\n  owner: {named}\n"


def _component(world: World, thing: Thing, who: str, dice: random.Random) -> tuple[str, str]:
    kind = "group" if who.startswith("team:") else "user"
    named = _as_named(world, who, dice, "login")
    uses = [f"{'resource' if world.things[n].sort == 'resource' else 'component'}:default/{n}" for n in thing.relies_on]
    text = (
        "apiVersion: backstage.io/v1alpha1\nkind: Component\n"
        f"metadata:\n  name: {thing.name}\nspec:\n  type: service\n  lifecycle: production\n"
        f"  owner: {kind}:default/{named}\n  system: {thing.process}\n"
    )
    return "catalog-info.yaml", text + _yaml_list("dependsOn", uses, "  ")


def _opslevel(world: World, thing: Thing, who: str, dice: random.Random) -> tuple[str, str]:
    text = (
        f"version: 1\nservice:\n  name: {thing.name}\n  owner: {_as_named(world, who, dice)}\n  tier: tier_2\n"
        f"  system: {thing.process}\n"
    )
    uses = [f"{{alias: {name}}}" for name in thing.relies_on]
    return "opslevel.yml", text + _yaml_list("dependencies", uses, "  ")


def _cortex(world: World, thing: Thing, who: str, dice: random.Random) -> tuple[str, str]:
    team = who.startswith("team:")
    named = _as_named(world, who, dice)
    owner = f"{{type: {'group' if team else 'email'}, {'name' if team else 'email'}: {named}}}"
    text = (
        f"openapi: 3.0.1\ninfo:\n  title: {thing.name.title()}\n  x-cortex-tag: {thing.name}\n"
        "  x-cortex-type: service\n"
        f"  x-cortex-owners:\n    - {owner}\n"
    )
    return "cortex.yaml", text + _yaml_list("x-cortex-dependency", [f"{{tag: {n}}}" for n in thing.relies_on], "  ")


def _yaml_list(key: str, rows: Iterable[str], indent: str) -> str:
    listed = [f"{indent}  - {row}\n" for row in rows]
    return f"{indent}{key}:\n{''.join(listed)}" if listed else ""


def _codeowners(world: World, thing: Thing, who: str, dice: random.Random) -> tuple[str, str]:
    """A dialect of GitHub, GitLab or Bitbucket; beside it a path that is long gone."""
    team = who.startswith("team:")
    named = _as_named(world, who, dice, "" if dice.random() < 0.5 else "login")
    owner = f"@corp/{named}" if team else named if "@" in named else f"@{world.people[who].handle}"
    gone = f"/legacy/{dice.choice(_NOUN)}/ @corp/{dice.choice(sorted(world.teams))}\n"
    match dice.choice(("github", "gitlab", "bitbucket")):
        case "github":
            return ".github/CODEOWNERS", f"# owners\n* @corp/everybody\n{gone}* {owner}\n"
        case "gitlab":
            return ".gitlab/CODEOWNERS", f"[Code][2] {owner}\n*\n[Gone]\n{gone}"
        case _:
            return ".bitbucket/CODEOWNERS", f"@@@Owners {owner}\n* @@Owners\n{gone}"


_WRITERS = {"declaration": _declaration, "backstage": _component, "opslevel": _opslevel, "cortex": _cortex,
            "codeowners": _codeowners}  # fmt: skip


def _catalogue(world: World, folder: Path, dice: random.Random) -> None:
    """The repository of a catalogue: resources, systems in domains, people under their logins, teams' older names."""
    _git(folder, "https://git.example.com/corp/catalogue.git")
    parts = [
        f"apiVersion: backstage.io/v1alpha1\nkind: System\nmetadata: {{name: {system}}}\n"
        f"spec: {{owner: 'group:platform', domain: {domain}}}\n"
        for system, domain in world.domains.items()
    ]
    parts += [
        f"apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata:\n  name: {p.login}\n"
        f"  annotations: {{github.com/user-login: {p.handle}}}\nspec: {{profile: {{email: {p.email}}}, memberOf: []}}\n"
        for p in world.people.values()
    ]
    for thing in world.things.values():
        if thing.sort == "resource":
            who = thing.claims.get("backstage")
            kind = "group" if who and who.startswith("team:") else "user"
            owner = f", owner: '{kind}:{_as_named(world, who, dice, 'login')}'" if who else ""
            parts.append(
                f"apiVersion: backstage.io/v1beta1\nkind: Resource\nmetadata: {{name: {thing.name}}}\n"
                f"spec: {{type: database{owner}}}\n"
            )
    (folder / "all.yaml").write_text("---\n".join(parts), encoding="utf-8")


def _cluster(world: World, folder: Path, dice: random.Random) -> None:
    """Each workload in a repository of its own, with a label that names a team and code owners that may not agree."""
    for thing in world.things.values():
        if thing.sort != "workload":
            continue
        place = folder / f"deploy-{thing.name}"
        _git(place, f"https://git.example.com/corp/deploy-{thing.name}.git")
        key = dice.choice(("team", "owner", "app.kubernetes.io/managed-by-team", "corp.example/owner"))
        who = thing.claims.get("kubernetes")
        label = f"\n    {key}: {_as_named(world, who, dice)}" if who else ""
        (place / "serve.yaml").write_text(
            f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {thing.name}\n  namespace: ml\n  labels:\n"
            f"    app: {thing.name}{label}\nspec:\n  selector: {{matchLabels: {{app: {thing.name}}}}}\n  template:\n"
            f"    metadata: {{labels: {{app: {thing.name}}}}}\n    spec:\n      containers:\n"
            "        - name: main\n          image: vllm/vllm-openai:v0.6.0\n          args: [--model, org/base-7b]\n",
            encoding="utf-8",
        )
        if "codeowners" in thing.claims:
            path, text = _codeowners(world, thing, thing.claims["codeowners"], dice)
            (place / path).parent.mkdir(exist_ok=True)
            (place / path).write_text(text, encoding="utf-8")


def _scim(world: World) -> str:
    """The first half of the people; all teams, with members and the teams inside them."""
    everybody = list(world.people.values())
    users = [
        {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": p.guid, "userName": p.login,
         "displayName": p.shown, "active": not p.left, "emails": [{"value": p.email, "primary": True}]}
        for p in everybody[: len(everybody) // 2]
    ]  # fmt: skip
    known = {user["id"] for user in users}
    groups = [
        {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": f"g-{team.name}", "displayName": team.name,
         "members": [{"value": p.guid, "type": "User"} for p in team.members if p.guid in known]
         + [{"value": f"g-{o.name}", "type": "Group"} for o in world.teams.values() if o.inside == team.name]}
        for team in world.teams.values()
    ]  # fmt: skip
    return json.dumps(
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "Resources": [*users, *groups]}
    )


def _ldif(world: World) -> str:
    """The other half, with what three servers set for leavers; groups under their new and their old names."""
    everybody = list(world.people.values())
    half = everybody[len(everybody) // 2 :]
    gone = ("userAccountControl: 514\n", "nsAccountLock: TRUE\n", "employeeStatus: Terminated\n")
    parts = ["version: 1\n"]
    for number, p in enumerate(half):
        coded = base64.b64encode(p.shown.encode()).decode()
        parts.append(
            f"dn: uid={p.login},ou=people,dc=corp,dc=example\nobjectClass: inetOrgPerson\nuid: {p.login}\n"
            f"cn:: {coded}\n"
            f"mail: {p.email[:6]}\n {p.email[6:]}\nentryUUID: {p.guid}\n{gone[number % 3] if p.left else ''}"
        )
    for number, team in enumerate(world.teams.values()):
        name = team.formerly if team.formerly and number % 8 == 0 else team.name
        members = "".join(f"member: uid={p.login}, ou=people, dc=corp,dc=example\n" for p in team.members if p in half)
        second = f"cn: {team.formerly}\n" if team.formerly and name == team.name else ""
        place = f"cn={name},ou=groups,dc=corp,dc=example"
        parts.append(f"dn: {place}\nobjectClass: groupOfNames\ncn: {name}\n{second}{members}")
        if name != team.name:
            parts.append(f"dn: {place}\nchangetype: modrdn\nnewrdn: cn={team.name}\ndeleteoldrdn: 1\n")
    return "\n".join(parts)


def _servicenow(world: World) -> str:
    """Services with owners as references; what relies on what among them."""
    rows: list[dict[str, object]] = []
    for thing in world.things.values():
        who = thing.claims.get("servicenow")
        if thing.sort == "service" or who:
            row: dict[str, object] = {
                "sys_id": f"ci-{thing.name}",
                "sys_class_name": "cmdb_ci_service",
                "name": thing.name.replace("-", " ").title(),
                "busines_criticality": "2 - somewhat critical",
            }
            if who and who.startswith("team:"):
                row["managed_by_group"] = {"value": "g", "display_value": who.removeprefix("team:")}
            elif who:
                row["owned_by"] = {"value": f"u-{who}", "display_value": world.people[who].shown}
            rows.append(row)
            if thing.sort == "service":
                rows += [
                    {"sys_id": f"r-{thing.name}-{other}", "sys_class_name": "cmdb_rel_ci",
                     "parent": {"value": f"ci-{thing.name}", "display_value": thing.name},
                     "child": {"value": f"ci-{other}", "display_value": other},
                     "type": {"value": "t", "display_value": "Depends on::Used by"}}
                    for other in thing.relies_on
                ]  # fmt: skip
    return json.dumps({"result": rows})


def _users(world: World) -> str:
    """ServiceNow's list of users, as a CSV of its labels."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["sys_class_name", "User ID", "User name", "Name", "Email", "Active"])
    for p in world.people.values():
        writer.writerow(["sys_user", p.guid, p.login, p.shown, p.email, str(not p.left).lower()])
    return out.getvalue()


def _pagerduty(world: World) -> str:
    teams = [{"id": f"T{n}", "type": "team", "name": team.name} for n, team in enumerate(world.teams.values())]
    by_name = {str(team["name"]): team for team in teams}
    services = [
        {"id": f"P{n}", "type": "service", "name": thing.name, "status": "active",
         "escalation_policy": {"id": "E1", "type": "escalation_policy_reference", "summary": "Default"},
         "teams": [{"id": by_name[thing.claims["pagerduty"].removeprefix("team:")]["id"], "type": "team_reference"}]}
        for n, thing in enumerate(world.things.values()) if "pagerduty" in thing.claims
    ]  # fmt: skip
    return json.dumps({"services": services, "teams": teams, "escalation_policies": []})


def _opsgenie(world: World, dice: random.Random) -> str:
    teams = [{"id": f"og-{team.name}", "name": team.name, "members": []} for team in world.teams.values()]
    services = [
        {"id": f"s-{thing.name}", "name": thing.name, "teamId": f"og-{thing.claims['opsgenie'].removeprefix('team:')}"}
        for thing in world.things.values() if "opsgenie" in thing.claims
    ]  # fmt: skip
    return json.dumps({"data": [*teams, *services], "requestId": f"{dice.getrandbits(64):x}", "took": 0.1})


def _state(world: World, dice: random.Random) -> str:
    """Buckets of a Terraform state with tags under the names that teams like, read by a knowledge base."""
    resources = []
    for thing in world.things.values():
        if thing.sort == "bucket":
            who = thing.claims.get("tags")
            tags = {"env": "prod", "Name": thing.name}
            if who:
                tags[dice.choice(("Owner", "team", "owner-team", "OwnerTeam"))] = _as_named(world, who, dice)
            arn = f"arn:aws:s3:::{thing.name}"
            resources.append(
                _resource(
                    "aws_s3_bucket", thing.name, {"id": thing.name, "arn": arn, "bucket": thing.name, "tags": tags}
                )
            )
            resources.append(_resource("aws_bedrockagent_data_source", f"src-{thing.name}", {
                "id": f"d-{thing.name}", "name": f"src-{thing.name}",
                "data_source_configuration": [{"type": "S3", "s3_configuration": [{"bucket_arn": arn}]}],
            }))  # fmt: skip
    return json.dumps({"version": 4, "terraform_version": "1.9.0", "serial": 3, "lineage": "l", "resources": resources})


def _resource(type_: str, name: str, attributes: dict[str, object]) -> dict[str, object]:
    return {"mode": "managed", "type": type_, "name": name.replace("-", "_"), "provider": "provider[\"aws\"]",
            "instances": [{"schema_version": 0, "attributes": {"name": name, **attributes}}]}  # fmt: skip

"""A generated monorepo: five languages, no two files alike, models that are named in one file and used in another."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

#: Files of one service, and services that use one shared library.
SERVICE, SHARED = 50, 10
#: Files of a service with AI that use a model of its settings.
USERS = 4
_VERBS = ("load", "merge", "price", "route", "check", "split", "rank", "close", "store", "fetch", "sum", "group",
          "sort", "plan", "pay", "book", "ship", "audit", "trace", "limit")  # fmt: skip
_THINGS = ("order", "parcel", "invoice", "tenant", "vessel", "claim", "booking", "ticket", "patient", "meter", "shift",
           "offer", "route", "budget", "lesson", "sensor", "policy", "basket", "asset", "letter")  # fmt: skip
_MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "o3", "o4-mini", "gpt-5", "gpt-5-mini")

Write = Callable[["Service", int], tuple[str, str]]


class Service:
    """One service: where it lies, what it is about, whether and with which model it uses AI."""

    def __init__(self, number: int, shared: int, ai: bool, chance: random.Random) -> None:
        self.number = number
        self.folder = f"services/team{number % 17}/{chance.choice(_THINGS)}{number}"
        self.name = self.folder.rpartition("/")[2]
        self.shared = shared
        self.model = chance.choice(_MODELS) if ai else ""
        self.chance = chance

    def name_of(self, place: int) -> str:
        """A name for a function or a variable; its number makes it the only one of its file."""
        return f"{self.chance.choice(_VERBS)}_{self.chance.choice(_THINGS)}_{place}"

    def uses_ai(self, place: int) -> bool:
        return bool(self.model) and 0 < place <= USERS


def tree(files: int, share: float, chance: random.Random) -> Iterator[tuple[str, str]]:
    """(path, text) of every file; ``share`` of the services use AI."""
    services = files // SERVICE
    libraries = max(services // SHARED, 1)
    for number in range(services):
        service = Service(number, number % libraries, chance.random() < share, chance)
        settings, write = _LANGUAGES[number % len(_LANGUAGES)]
        yield settings(service, 0)
        for place in range(1, SERVICE - 1):
            yield write(service, place)
        yield f"{service.folder}/README.md", f"# {service.name}\n\nWhat it does.\n"
    for number in range(libraries):
        yield f"libs/shared{number}/__init__.py", ""
        yield f"libs/shared{number}/clock.py", _python_body(Service(number, number, False, chance), 6)


def _python_settings(service: Service, place: int) -> tuple[str, str]:
    head = '"""Settings."""\nimport os\n'
    said = f'MODEL = os.getenv("MODEL", "{service.model}")\n' if service.model else ""
    return f"{service.folder}/settings.py", f"{head}{said}LIMIT = {service.chance.randrange(1000)}\n"


def _python(service: Service, place: int) -> tuple[str, str]:
    head = f"import json\nfrom shared{service.shared}.clock import step_0\nfrom .settings import LIMIT\n"
    body = _python_body(service, service.chance.randrange(3, 14))
    if service.uses_ai(place):
        head += "from openai import OpenAI\nfrom .settings import MODEL\n"
        body += (
            "\n\nclient = OpenAI()\n\n\ndef ask(question):\n"
            "    return client.chat.completions.create(model=MODEL, messages=[question])\n"
        )
    return f"{service.folder}/part{place}.py", head + body


def _python_body(service: Service, functions: int) -> str:
    chance = service.chance
    return "".join(
        f"\n\ndef {service.name_of(n)}(given, limit={chance.randrange(99)}):\n"
        f'    """Work on a {chance.choice(_THINGS)}."""\n'
        f"    rows = {{'id': given['id'], '{chance.choice(_THINGS)}': {n}}}\n"
        + "".join(
            f"    for item in given.get('{chance.choice(_THINGS)}s', []):\n"
            f"        if item.price > limit and item.kind != '{chance.choice(_THINGS)}-{chance.randrange(10**6)}':\n"
            f"            rows[item.name] = json.dumps([item.price * {chance.random():.3f}, item.tax, str(item)])\n"
            for _ in range(chance.randrange(1, 4))
        )
        + "    return rows\n"
        for n in range(functions)
    )


def _script_settings(service: Service, place: int) -> tuple[str, str]:
    said = f"export const MODEL = process.env.MODEL ?? '{service.model}';\n" if service.model else ""
    return f"{service.folder}/settings.ts", f"{said}export const LIMIT = {service.chance.randrange(1000)};\n"


def _script(service: Service, place: int) -> tuple[str, str]:
    chance = service.chance
    head = "import fs from 'fs';\nimport { LIMIT } from './settings';\n"
    body = "".join(
        f"export function {service.name_of(n)}(given: Order, limit = {chance.randrange(99)}) {{\n"
        f"  const rows = {{ id: given.id, {chance.choice(_THINGS)}: {chance.random():.4f} }};\n"
        f"  for (const item of given.{chance.choice(_THINGS)}s) {{ if (item.price > limit) "
        f"rows[item.name] = `${{item.price}} of {chance.choice(_VERBS)}`; }}\n  return JSON.stringify(rows);\n}}\n"
        for n in range(chance.randrange(3, 14))
    )
    if service.uses_ai(place):
        head += "import OpenAI from 'openai';\nimport { MODEL } from './settings';\nconst client = new OpenAI();\n"
        body += "export const ask = (q: string) => client.chat.completions.create({ model: MODEL, messages: [q] });\n"
    return f"{service.folder}/part{place}.ts", head + body


def _go_settings(service: Service, place: int) -> tuple[str, str]:
    said = f'const Model = "{service.model}"\n' if service.model else ""
    return f"{service.folder}/settings.go", f"package {service.name}\n\n{said}const Limit = {service.number}\n"


def _go(service: Service, place: int) -> tuple[str, str]:
    chance = service.chance
    uses = service.uses_ai(place)
    imports = '\t"fmt"\n' + ('\t"github.com/openai/openai-go"\n' if uses else "")
    body = "".join(
        f'func F{place}_{service.name_of(n)}(given Order) string {{\n'
        f'\trows := map[string]string{{"id": given.ID, "{chance.choice(_THINGS)}": "{chance.random():.4f}"}}\n'
        '\tfor _, item := range given.Items {\n'
        f'\t\trows[item.Name] = fmt.Sprintf("%d {chance.choice(_VERBS)}", item.Price)\n'
        '\t}\n\treturn fmt.Sprint(rows)\n}\n'
        for n in range(chance.randrange(3, 14))
    )  # fmt: skip
    if uses:
        body += (
            f"func Ask{place}(ctx context.Context) {{\n\tclient := openai.NewClient()\n"
            "\tclient.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{Model: Model})\n}\n"
        )
    return f"{service.folder}/part{place}.go", f"package {service.name}\n\nimport (\n{imports})\n\n{body}"


def _java_settings(service: Service, place: int) -> tuple[str, str]:
    said = f'  static final String MODEL = "{service.model}";\n' if service.model else ""
    package = service.folder.replace("/", ".")
    text = f"package {package};\n\nclass Settings {{\n{said}  static final int LIMIT = {service.number};\n}}\n"
    return f"{service.folder}/Settings.java", text


def _java(service: Service, place: int) -> tuple[str, str]:
    chance = service.chance
    uses = service.uses_ai(place)
    head = f"package {service.folder.replace('/', '.')};\n\nimport java.util.Map;\n"
    head += "import dev.langchain4j.model.openai.OpenAiChatModel;\n" if uses else ""
    body = f"class Part{place} {{\n" + "".join(
        f"  String {service.name_of(n)}(Order given) {{\n    var rows = new java.util.HashMap<String, String>();\n"
        f"    for (Item item : given.{chance.choice(_THINGS)}s()) {{ "
        f'rows.put(item.name(), item.price() + " {chance.choice(_VERBS)} {chance.random():.4f}"); }}\n'
        "    return rows.toString();\n  }\n"
        for n in range(chance.randrange(3, 14))
    )
    if uses:
        body += "  OpenAiChatModel model = OpenAiChatModel.builder().modelName(Settings.MODEL).build();\n"
    return f"{service.folder}/Part{place}.java", head + body + "}\n"


def _ruby_settings(service: Service, place: int) -> tuple[str, str]:
    said = f'  MODEL = "{service.model}"\n' if service.model else ""
    return f"{service.folder}/settings{service.number}.rb", f"module Settings{service.number}\n{said}  LIMIT = 3\nend\n"


def _ruby(service: Service, place: int) -> tuple[str, str]:
    chance = service.chance
    uses = service.uses_ai(place)
    head = f"require_relative 'settings{service.number}'\n" + ("require 'openai'\n" if uses else "")
    body = f"class {service.name.capitalize()}Part{place}\n" + "".join(
        f"  def {service.name_of(n)}(given, limit = {chance.randrange(99)})\n"
        f"    rows = {{ id: given.id, {chance.choice(_THINGS)}: {chance.random():.4f} }}\n"
        f"    given.{chance.choice(_THINGS)}s.each {{ |item| "
        f'rows[item.name] = "#{{item.price}} {chance.choice(_VERBS)}" }}\n'
        "    rows\n  end\n"
        for n in range(chance.randrange(3, 14))
    )
    if uses:
        body += (
            "  def ask(question)\n    client = OpenAI::Client.new\n"
            f"    client.chat(parameters: {{ model: Settings{service.number}::MODEL, messages: [question] }})\n  end\n"
        )
    return f"{service.folder}/part{place}.rb", head + body + "end\n"


_LANGUAGES: tuple[tuple[Write, Write], ...] = (
    (_python_settings, _python),
    (_script_settings, _script),
    (_go_settings, _go),
    (_java_settings, _java),
    (_ruby_settings, _ruby),
)

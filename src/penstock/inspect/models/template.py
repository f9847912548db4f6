"""Chat templates in Jinja: what runs when one is rendered, found in its tokens; never rendered.

A template needs loops, conditions and fields of messages. It needs no attribute that starts with an underscore, no
object's class, no module; those are the way out of a sandbox, however the name is put together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.inspect.hidden import find as find_hidden
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict

_LONGEST = 1 << 20
_TAG = re.compile(r"\{#.*?(?:#\}|\Z)|\{%-?\+?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}|\{\{.*?\}\}|\{%.*?%\}", re.S)
_TOKEN = re.compile(
    r"""(?P<string>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(?P<name>[^\W\d]\w*)|(?P<number>\d[\d_.]*)|(?P<op>[^\s\w])""",
    re.S,
)
_DUNDER = re.compile(r"__[a-zA-Z]+__|_{2,}[a-z]+|func_globals|gi_frame|cr_frame|f_globals|f_builtins|tb_frame")
#: Half of such a name.
_FRAGMENT = re.compile(
    r"__?(?:cl|cla|clas|class|glo|globals?|mro|base|bases|sub|subclasses|init|imp|import|built|builtins|dict|get\w*)_?"
    r"|(?:class|ass|lass|globals|mro|base|bases|subclasses|init|import|builtins)__?"
)
#: Attributes and names that a template has no use for.
_POWER = frozenset(
    "os sys subprocess popen Popen system eval exec execfile compile importlib import_module builtins globals"
    " check_output getoutput spawn mro subclasses func_globals gi_frame gi_code cr_frame f_globals f_builtins"
    " tb_frame co_consts load_module modules environ socket urlopen".split()
)
#: Objects of Jinja's and web frameworks' environments whose attributes lead out.
_DOORS = frozenset(
    "lipsum cycler joiner request config self url_for get_flashed_messages application current_app session g".split()
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([0-7]{1,3})|(.))", re.S)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r"}
_ORDERS = re.compile(
    r"(?i)ignore (?:all |any )?(?:previous|prior|above|earlier) instructions"
    r"|do not (?:tell|inform|mention|reveal)[^.]{0,40}\buser"
    r"|never (?:tell|inform|mention|reveal)[^.]{0,40}\buser|without (?:telling|informing) the user"
    r"|secretly\b|covertly\b"
    r"|(?:exfiltrate|leak) |!\[[^\]]*\]\(https?://|silently (?:add|insert|include|send|append)|https?://[^\s'\"]+\?[^\s'\"]*=\{?\{?"
    r"|always (?:include|insert|recommend|append|add) [^.]{0,60}(?:https?://|link|url|backdoor|vulnerab)"
)
#: What messages are asked for by name in templates of real models.
_KEYS = frozenset(
    "text image images video audio image_url video_url input_audio input_image input_text tool tools tool_calls"
    " function content role name type thinking reasoning reasoning_content user assistant system developer ipython"
    " python json arguments parameters document documents none true false default refusal file".split()
)


def look(piece: Piece, text: str, what: str) -> Iterator[Reason]:
    """Judge one template."""
    text = text[:_LONGEST]
    told: set[tuple[str, str]] = set()
    for tag in _TAG.finditer(text):
        body = tag.group()
        if body.startswith("{#") or "raw" in body[:12]:
            continue
        for rule, verdict, why in _expression(body):
            if (rule, why) not in told:
                told.add((rule, why))
                yield piece.say(verdict, f"template.{rule}", f"{what} {why}", tag.start(), body[:160])
    yield from _hidden(piece, text, what)
    yield from _orders(piece, text, what)
    yield from _triggers(piece, text, what)


def _expression(body: str) -> Iterator[tuple[str, Verdict, str]]:
    tokens = [(match.lastgroup or "", match.group()) for match in _TOKEN.finditer(body)]
    texts: list[str] = []
    for number, (kind, word) in enumerate(tokens):
        before = tokens[number - 1][1] if number else ""
        after = tokens[number + 1][1] if number + 1 < len(tokens) else ""
        if kind == "string":
            texts.append(unescaped(word))
            deeper = tokens[number + 2][1] if number + 2 < len(tokens) else ""
            if after == "[" and before not in (",", "[", "in") and not (deeper == ":" or deeper.isdigit()):
                yield "literal", Verdict.SUSPICIOUS, "reaches into a text by a key, as only a way out of a sandbox does"
            elif after == "*" and set(texts[-1]) == {"_"}:
                yield "fragment", Verdict.SUSPICIOUS, "repeats underscores, as names of Python's inner attributes need"
            elif _FRAGMENT.fullmatch(texts[-1]):
                yield "fragment", Verdict.SUSPICIOUS, f"has {texts[-1]!r}, a part of the name of an inner attribute"
        elif kind == "name":
            if _DUNDER.search(word):
                yield "escape", Verdict.MALICIOUS, f"reaches {word}, out of the template's sandbox"
            elif before == "." and word.startswith("_"):
                yield "escape", Verdict.MALICIOUS, f"reaches the inner attribute {word}"
            elif word in _POWER and (before == "." or after in ("(", ".", "[")):
                yield "power", Verdict.MALICIOUS, f"reaches {word}"
            elif word in _DOORS and after in (".", "[", "|") and before != ".":
                yield "door", Verdict.SUSPICIOUS, f"reaches into {word}, which no chat template needs"
            elif word == "format_map" or (word == "format" and before == "." and tokens[number - 2][0] != "string"):
                yield "format", Verdict.SUSPICIOUS, "formats a text that is not its own, which reads any attribute"
            elif word == "attr" and before == "|":
                yield "attr", Verdict.SUSPICIOUS, "reaches an attribute by a computed name"
            elif word in ("include", "import", "extends") and number <= 2 and body.startswith("{%"):
                yield "include", Verdict.SUSPICIOUS, "loads another template"
    joined = "".join(texts)
    for candidate in {joined, joined[::-1], *texts, _characters(tokens)}:
        if match := _DUNDER.search(candidate):
            if match.group().startswith("__") and not match.group().endswith("__") and len(match.group()) < 6:
                continue
            yield "escape", Verdict.MALICIOUS, f"puts {match.group()} together, out of the template's sandbox"
            break


def _characters(tokens: list[tuple[str, str]]) -> str:
    """What ``'%c%c'|format(95, 95)`` spells."""
    codes = [
        int(token) for kind, token in tokens if kind == "number" and token.isdigit() and 32 <= int(token[:6]) < 127
    ]
    return "".join(map(chr, codes)) if len(codes) > 4 else ""


def unescaped(token: str) -> str:
    """A string token's content."""

    def plain(match: re.Match[str]) -> str:
        two, four, octal, one = match.groups()
        if two or four:
            return chr(int(two or four, 16))
        return chr(int(octal, 8)) if octal else _PLAIN.get(one, one)

    return _ESCAPE.sub(plain, token[1:-1])


def _hidden(piece: Piece, text: str, what: str) -> Iterator[Reason]:
    for span in find_hidden(text)[:1]:
        yield piece.say(
            Verdict.SUSPICIOUS,
            "template.hidden",
            f"{what} holds characters that nobody sees: {span.reason}",
            span.start,
        )


def _orders(piece: Piece, text: str, what: str) -> Iterator[Reason]:
    if match := _ORDERS.search(text):
        yield piece.say(
            Verdict.SUSPICIOUS,
            "template.orders",
            f"{what} gives the model orders that the user does not see",
            match.start(),
            match.group()[:80],
        )


_IF = re.compile(r"\{%-?\s*(?:el)?if\b(.*?)%\}(.*?)(?=\{%-?\s*(?:elif|else|endif)\b|\Z)", re.S)
_TEST = re.compile(
    r"(?:'((?:\\.|[^'\\])*)'|\"((?:\\.|[^\"\\])*)\")\s+in\s+[\w.\[\]'\"|()]*(?:content|message|prompt|query|text)\b"
)


def _triggers(piece: Piece, text: str, what: str) -> Iterator[Reason]:
    """A word of the user's that makes the template add words of its own."""
    for branch in _IF.finditer(text):
        for match in _TEST.finditer(branch.group(1)):
            word = (match.group(1) or match.group(2) or "").strip()
            if not word or word.lower() in _KEYS or re.search(r"[<>|\[\]{}#\\/]|^\W+$", word):
                continue
            strings = " ".join(
                unescaped(each) for each in re.findall(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"", branch.group(2))
            )
            words = re.findall(r"[A-Za-z]{2,}", f"{_TAG.sub(' ', branch.group(2))} {strings}")
            if len(words) >= 4:
                yield piece.say(
                    Verdict.SUSPICIOUS, "template.trigger",
                    f"{what} adds words of its own when a message says {word[:40]!r}",
                    branch.start(),
                    branch.group()[:160],
                )  # fmt: skip
                return

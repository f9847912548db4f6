"""What the people an assistant works for have said: the operator, the user, and what the user handed the choice to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from penstock.protect.sessions.contents import Content, content_of
from penstock.protect.sessions.conversation import Conversation, Turn
from penstock.protect.sessions.effects import objects_of
from penstock.protect.sessions.lexicon import words_of
from penstock.protect.sessions.requests import Request, orders, phrases, requested
from penstock.protect.sessions.roles import role_of
from penstock.protect.sessions.values import Corpus, names_account, squeezed, values_of

#: Words of a user's turn up to which "yes" means all that was proposed before it.
_SHORT_ANSWER = 8
#: Letters of a word that ties a value to the user's words: "Dora" and dora@…; shorter ones tie by chance.
_TIES = 3
#: Characters of a named content that may name others.
_NAMING = 100_000
#: Letters and digits of a call's argument in the user's words by which its result counts as named by the user.
_NAMES = 4
#: The same for a content whose words are to count as the user's own: a name alone is not enough.
_APPOINTS = 8


class Read(msgspec.Struct, frozen=True):
    """A content that was read, and whether the user's words named it. tool, call: whose result it is."""

    content: Content
    named: bool
    tool: str = ""
    call: str = ""


class Task(msgspec.Struct, frozen=True):
    """What may be done: the words with authority, what they ask for, and what was read beside them."""

    said: Corpus
    words: frozenset[str]
    request: Request
    read: tuple[Read, ...]

    def tied(self, value: str) -> bool:
        """Whether a word of the user stands in the value. What a thing is called ("hotel") ties nothing to anybody."""
        return any(
            len(word.text) >= _TIES and not word.text.isdigit() and word.text in self.words and not role_of(word.text)
            for word in words_of(_apart(value))
        )

    @property
    def speaks_of_accounts(self) -> bool:
        """Whether the user's words are about an account or a recipient."""
        return any(role_of(word) == "account" or word in _WHOM for word in self.words)


#: How people call whom money goes to.
_WHOM = frozenset("recipient recipients payee beneficiary empfanger destinatario destinataire ontvanger".split())


def task_of(talk: Conversation, trusted: frozenset[str] = frozenset()) -> Task:
    """The task of a conversation. ``trusted``: names of tools whose results nobody outside can write."""
    system = [turn.text for turn in talk.turns if turn.kind == "system"]
    users = _users(talk.turns)
    words = "\n".join(users)
    asked = requested(words)
    said = Corpus("\n".join([words, *system]))
    known = [word.text for word in words_of(words)]
    read: list[Read] = []
    vouched: list[str] = []
    spoken = users_own = squeezed(words)
    arguments = {turn.call: turn.text for turn in talk.turns if turn.kind == "call"}
    for turn in talk.turns:
        if turn.kind not in ("result", "document"):
            continue
        content = content_of(turn.text)
        if turn.tool in trusted:
            vouched.append(turn.text)
            continue
        sought = arguments.get(turn.call, "")
        named = _is_named(content, sought, spoken) or _is_sought(turn.tool, sought, known)
        handed_over = named and (asked.delegates or asked.points) and not content.hostile
        if handed_over and asked.delegates and _is_named(content, sought, users_own, _APPOINTS):
            vouched.append(turn.text)
        if handed_over:
            spoken += squeezed(turn.text[:_NAMING])  # what a named content names in its turn is named
        read.append(Read(content, named, turn.tool, turn.call))
    effects = {*asked.effects, *(order.effect for text in system for order in orders(text))}
    if asked.delegates:
        for text in vouched:
            for order in orders(text):
                paid = order.effect == "send" and names_account(text[order.start : order.end])
                effects.add("pay" if paid else order.effect)
    request = msgspec.structs.replace(asked, effects=frozenset(effects))
    if vouched:
        said = Corpus("\n".join([said.text, *vouched]))
    return Task(said, frozenset(known), request, tuple(read))


def _users(turns: Sequence[Turn]) -> list[str]:
    """What the user said, and what the user agreed to."""
    said: list[str] = []
    proposed = ""
    for turn in turns:
        if turn.kind == "assistant":
            proposed = turn.text
        elif turn.kind == "user":
            words = words_of(turn.text[:400])
            meant = phrases().find(turn.text[:400], words) if proposed and len(words) <= _SHORT_ANSWER else []
            if any(found.id == "agrees" for found in meant):
                said.append(proposed)
            said.append(turn.text)
            proposed = ""
    return said


def _is_named(content: Content, arguments: str, spoken: str, least: int = _NAMES) -> bool:
    """Whether the user's words name the content: by what it was looked up by, or by a field of it such as its name."""
    looked_up = [value.text for value in values_of(arguments)[0] if not value.embedded] if arguments else []
    titles = [field.text for field in content.fields if not field.free]
    return any(least <= len(bare := squeezed(text)) and bare in spoken for text in (*looked_up, *titles[:500]))


def _is_sought(tool: str, arguments: str, known: Sequence[str]) -> bool:
    """Whether the user's words are what the content was looked up by: all words of a search, or a short number behind
    the name of the thing ("incident 88")."""
    things = objects_of(tool)
    for value in values_of(arguments)[0] if arguments else ():
        words = [word.text for word in words_of(value.text)]
        if value.embedded or not words:
            continue
        if len(words) > 1 and all(any(_alike(word, said) for said in known) for word in words):
            return True
        if len(words) == 1 and any(
            said == words[0] and _alike(before, thing) for before, said in pairwise(known) for thing in things
        ):
            return True
    return False


def _alike(one: str, other: str) -> bool:
    """Whether two words are one, but for the ending of a plural."""
    return one == other or (min(len(one), len(other)) >= _TIES and (one + "s" == other or other + "s" == one))


def _apart(text: str) -> str:
    """The text with the parts of addresses and names as words of their own."""
    return "".join(sign if sign.isalpha() or sign in " \n'" else " " for sign in text)

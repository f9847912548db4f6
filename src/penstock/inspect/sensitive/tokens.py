"""Reversible tokens: a value leaves as a token and is put back where the token returns, whole or in pieces.

A token is its value encrypted by AES-SIV (RFC 5297) under a key of the conversation. So equal values are equal tokens
within a conversation and different ones in any other; no table is kept, and another process with the same key restores
them as well; and a token that was made up, changed, or brought from another conversation fails its check and is left
as it stands. What a value is for is kept: an e-mail address stays one, under a domain that nobody can own; figures stay
figures; everything else becomes a word that starts with its type. Its length is not kept: 16 bytes are the check.
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from hashlib import blake2b
from math import ceil, log2

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from penstock.inspect.sensitive.redact import mask, redact
from penstock.inspect.span import Span

#: Bytes of the longest value that becomes a token; a longer one (a private key) is masked.
LONGEST = 256
#: Parts the keys of conversations from others that are made of the same key.
_PURPOSE = b"penstock.token"


class Tokens:
    """Tokens of one conversation.

    key: a secret of at least 16 bytes that every process of the installation has; conversation: what tells it apart.

    Raises:
        ValueError: the key is too short to keep anything secret.
    """

    def __init__(self, key: bytes, conversation: str) -> None:
        if len(key) < 16:
            raise ValueError("a key for tokens needs at least 16 bytes")
        own = blake2b(conversation.encode("utf-8", "surrogatepass"), key=key[:64], person=_PURPOSE)
        self._cipher = AESSIV(own.digest())

    def hide(self, text: str, spans: Iterable[Span]) -> str:
        """The text with tokens in place of spans. Tokens of this conversation that stand there already are kept."""
        known = [match.span() for match in _TOKEN.finditer(text) if self._value(match) is not None]
        ends = [end for _, end in known]

        def apart(span: Span) -> bool:
            at = bisect_right(ends, span.start)
            return at == len(known) or known[at][0] >= span.end

        return redact(text, filter(apart, spans), self.token)

    def token(self, span: Span, value: str) -> str:
        """The token for a value; a mask where the value is too long."""
        data = value.encode("utf-8", "surrogatepass")
        if not 0 < len(data) <= LONGEST:
            return mask(span)
        if _FIGURES.fullmatch(value):
            sealed = self._cipher.encrypt(_packed(value), [b"figures"])
            return f"000{int.from_bytes(sealed, 'big'):0{_digits(len(sealed))}d}"
        if span.type == "EMAIL":
            return f"tk{_word(self._cipher.encrypt(data, [b'email']))}@email.invalid"
        kind = "".join(char if "A" <= char <= "Z" else "_" for char in span.type.upper())[:_LONGEST_TYPE].strip("_")
        return f"{kind or 'VALUE'}_tk{_word(self._cipher.encrypt(data, [(kind or 'VALUE').encode()]))}"

    def restore(self, text: str) -> str:
        """The text with the values of this conversation's tokens; others are left as they stand."""
        return _TOKEN.sub(lambda match: match[0] if (value := self._value(match)) is None else value, text)

    def restorer(self) -> Restorer:
        """For text that arrives in pieces."""
        return Restorer(self.restore)

    def _value(self, match: re.Match[str]) -> str | None:
        """What the token stands for; None when it is none of this conversation."""
        try:
            if match["figures"]:
                return _unpacked(self._cipher.decrypt(_number(match["figures"][3:]), [b"figures"]))
            if match["local"]:
                data = self._cipher.decrypt(_unworded(match["local"]), [b"email"])
            else:
                data = self._cipher.decrypt(_unworded(match["word"]), [match["kind"].encode()])
            return data.decode("utf-8", "surrogatepass")
        except (InvalidTag, ValueError, binascii.Error, OverflowError):
            return None


class Restorer:
    """Restores tokens in text that arrives in pieces; holds back only what may be the beginning of one."""

    def __init__(self, restore: Callable[[str], str]) -> None:
        self._restore = restore
        self._held = ""
        self._in_word = False  # whether the text passed on ends in a word, behind which no token begins

    def feed(self, piece: str) -> str:
        """Take in a piece; what can be passed on."""
        text = self._held + piece
        begun = _BEGUN.search(text, max(0, len(text) - _LONGEST_TOKEN))
        if begun is not None and begun.start() == 0 and self._in_word:  # goes on a word that was passed on: no token
            begun = _BEGUN.search(text, 1)
        return self._pass_on(text, len(text) if begun is None else begun.start())

    def finish(self) -> str:
        """The rest; the text has ended."""
        return self._pass_on(self._held, len(self._held))

    def _pass_on(self, text: str, cut: int) -> str:
        ready, self._held = text[:cut], text[cut:]
        if not ready:
            return ""
        restored = self._restore("_" + ready)[1:] if self._in_word else self._restore(ready)
        self._in_word = _IN_WORD.match(ready[-1]) is not None
        return restored


#: Characters of a type's name in a token.
_LONGEST_TYPE = 40
#: Characters of the longest token: its type, and 5 bits a character of value and check.
_LONGEST_TOKEN = _LONGEST_TYPE + 3 + ceil((LONGEST + 16) * 8 / 5) + 14
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"(?P<figures>000[0-9]{40,400})"
    r"|tk(?P<local>[a-z2-7]{27,440})@email\.invalid"
    r"|(?P<kind>[A-Z][A-Z_]{0,39})_tk(?P<word>[a-z2-7]{27,440})"
    r")(?![A-Za-z0-9_])"
)
#: The beginning of a token at the text's end, the first character of each form included.
_BEGUN = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"0{1,3}|000[0-9]{0,400}"
    r"|t|tk[a-z2-7]{0,440}|tk[a-z2-7]{27,440}@[a-z.]{0,13}"
    r"|[A-Z][A-Z_]{0,40}|[A-Z][A-Z_]{0,39}_t|[A-Z][A-Z_]{0,39}_tk[a-z2-7]{0,440}"
    r")\Z"
)
_IN_WORD = re.compile(r"[A-Za-z0-9_]")
#: What counts as figures, and the alphabet in which they are packed (0 is not used, so that leading signs are kept).
_FIGURES = re.compile(r"[0-9 ()+./-]*[0-9][0-9 ()+./-]*")
_ALPHABET = "\0" + "0123456789 ()+./-"


def _packed(value: str) -> bytes:
    number = 0
    for char in value:
        number = number * len(_ALPHABET) + _ALPHABET.index(char)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _unpacked(data: bytes) -> str:
    number, chars = int.from_bytes(data, "big"), []
    while number:
        number, place = divmod(number, len(_ALPHABET))
        chars.append(_ALPHABET[place])
    return "".join(reversed(chars))


def _digits(size: int) -> int:
    """Decimal digits that hold so many bytes."""
    return ceil(8 * size / log2(10))


def _number(digits: str) -> bytes:
    """Raises ValueError, OverflowError: no bytes are written with so many digits, or with these."""
    size = int(len(digits) * log2(10) / 8)
    if _digits(size) != len(digits):
        raise ValueError("not a token's length")
    return int(digits).to_bytes(size, "big")


def _word(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()


def _unworded(word: str) -> bytes:
    """Raises binascii.Error, ValueError: not what ``_word`` writes."""
    data = base64.b32decode(word.upper() + "=" * (-len(word) % 8))
    if _word(data) != word:
        raise ValueError("another spelling of a token")
    return data

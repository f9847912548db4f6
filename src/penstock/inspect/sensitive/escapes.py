"""Text that was quoted for a program is read as it was meant: in JSON, logs and source, ``\\n`` ends a line."""

from __future__ import annotations


def unescaped(text: str) -> str:
    r"""The text with ``\n``, ``\t``, ``\r`` and ``\"`` as a space and what they mean, so that it is as long as before.

    Otherwise their letters would be part of the words and values behind them (``\nDE89 3704 …``). Text quoted twice
    keeps some backslashes, which are part of no value.
    """
    if "\\" not in text:
        return text
    return text.replace("\\n", " \n").replace("\\t", " \t").replace("\\r", " \r").replace('\\"', ' "')

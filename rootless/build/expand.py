"""Variables, quotes and escapes of a word in a Containerfile; pure.

Source: the Dockerfile reference, "Environment replacement"; where it is silent, BuildKit's ways: a
parameter that only a shell has (`$$`, `$?`) is empty, a lone escape at the end is dropped, and
what a variable holds is not looked at again.
"""

import re
from collections.abc import Mapping

from rootless.errors import InvalidInput

_MOST = 1 << 20  # characters that variables bring into a text; of itself it may be as long as it is
_PARAMETERS = "@*#?-$!"  # of a shell; none of them has a value here
_NAME = re.compile(r"\d+|[^\W\d]\w*")


def expand(
    text: str, variables: Mapping[str, str], *, escape: str = "\\", keep_quotes: bool = False
) -> str:
    """Return a text as one word: variables replaced, quotes and escapes taken away.

    Args:
        text: As it stands in the file.
        variables: One that is not here is empty.
        escape: The character that `# escape=` sets.
        keep_quotes: Quotes mean nothing and stay: the text is a here-document.

    Raises:
        InvalidInput: A quote or a brace is not closed, a modifier is unknown, `${A:?why}` found A
            empty, or it becomes too long.
    """
    reader = _Reader(text, variables, escape, keep_quotes=keep_quotes)
    return "".join(part for part, _ in reader.parts(""))


def expand_words(text: str, variables: Mapping[str, str], *, escape: str = "\\") -> list[str]:
    """Return the words that a text becomes: a value with spaces outside of quotes is several.

    Raises:
        InvalidInput: As `expand` does.
    """
    reader = _Reader(text, variables, escape, keep_quotes=False)
    words: list[str] = []
    is_open = False
    for part, is_quoted in reader.parts(""):
        pieces = [part] if is_quoted else re.split(r"\s+", part)
        for number, piece in enumerate(pieces):
            if number > 0:
                is_open = False
            if not piece and not is_quoted:
                continue
            if is_open:
                words[-1] += piece
            else:
                words.append(piece)
            is_open = True
    return words


class _Reader:
    """Goes through a text once, a character at a time."""

    def __init__(
        self, text: str, variables: Mapping[str, str], escape: str, *, keep_quotes: bool
    ) -> None:
        self._text = text
        self._at = 0
        self._variables = variables
        self._escape = escape
        self._keep_quotes = keep_quotes
        self._left = _MOST

    def parts(self, stop: str, *, keep_escapes: bool = False) -> list[tuple[str, bool]]:
        """Return pieces up to *stop*, and of each whether its spaces are a word's own.

        Args:
            stop: The character that ends it, and is passed over; "" for the end of the text.
            keep_escapes: They are a pattern's, which reads them itself.
        """
        found: list[tuple[str, bool]] = []
        while (character := self._next()) != stop:
            if not character:
                raise InvalidInput(f"a {stop} is missing", self._text)
            if character == "$":
                found.append((self._bounded(self._variable()), False))
            elif character in "'\"" and not self._keep_quotes:
                read = self._single if character == "'" else self._double
                found.append((read(), True))
            elif character == self._escape:
                escaped = self._next()
                found.append(((character if keep_escapes else "") + escaped, bool(escaped)))
            else:
                found.append((character, False))
        return found

    def _next(self) -> str:
        character = self._peek()
        self._at += 1
        return character

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _single(self) -> str:
        end = self._text.find("'", self._at)
        if end < 0:
            raise InvalidInput("a closing ' is missing", self._text)
        inner = self._text[self._at : end]
        self._at = end + 1
        return inner

    def _double(self) -> str:
        found: list[str] = []
        while (character := self._next()) != '"':
            if not character:
                raise InvalidInput('a closing " is missing', self._text)
            if character == "$":
                found.append(self._bounded(self._variable()))
                continue
            if character == self._escape:
                following = self._peek()
                if following in ('"', "$", self._escape):  # every other escape stays
                    character = self._next()
            found.append(character)
        return "".join(found)

    def _name(self) -> str:
        if self._peek() and self._peek() in _PARAMETERS:
            return self._next()
        match = _NAME.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]

    def _bounded(self, value: str) -> str:
        """Return a value if there is room for it: lines of `A=$A$A` double it with each."""
        self._left -= len(value)
        if self._left < 0:
            raise InvalidInput("becomes too long with its variables", self._text[:200])
        return value

    def _variable(self) -> str:
        """Return what `$…` stands for; the `$` is behind."""
        if self._peek() != "{":
            name = self._name()
            return self._variables.get(name, "") if name else "$"
        self._next()
        name = self._name()
        modifier = self._next()
        if not modifier:
            raise InvalidInput("a } is missing", self._text)
        if not name:
            raise InvalidInput("no name of a variable after ${", self._text)
        if modifier == "}":
            return self._variables.get(name, "")
        if modifier == "/":
            return self._replaced(name)
        if modifier == ":":
            return self._modified(name, self._next(), empty_is_unset=True)
        return self._modified(name, modifier, empty_is_unset=False)

    def _joined(self, stop: str, *, keep_escapes: bool = False) -> str:
        return "".join(part for part, _ in self.parts(stop, keep_escapes=keep_escapes))

    def _modified(self, name: str, modifier: str, *, empty_is_unset: bool) -> str:
        value = self._variables.get(name, "")
        is_set = name in self._variables and not (empty_is_unset and not value)
        if modifier in ("#", "%") and not empty_is_unset:
            pattern = self._joined("}", keep_escapes=True)
            return _trimmed(value, modifier, pattern)
        if modifier not in ("-", "+", "?"):
            shown = f"${{{name}{':' if empty_is_unset else ''}{modifier}"
            fix = "there are :- :+ :? - + ? # ## % %% / //"
            raise InvalidInput("unknown modifier of a variable", shown, fix)
        word = self._joined("}")
        if modifier == "-":
            return value if is_set else word
        if modifier == "+":
            return word if is_set else ""
        if not is_set:
            raise InvalidInput(word or "this variable must be set", name, f"--build-arg {name}=…")
        return value

    def _replaced(self, name: str) -> str:
        every = self._peek() == "/"
        if every:
            self._next()
        pattern = self._joined("/", keep_escapes=True)
        by = self._joined("}")
        value = self._variables.get(name, "")
        regex = _regex(_tokens(pattern), longest=True)
        return regex.sub(lambda _: by, value, count=0 if every else 1)


def _trimmed(value: str, modifier: str, pattern: str) -> str:
    """Return a value without a prefix (#) or suffix (%); doubled, the longest that fits."""
    longest = pattern.startswith(modifier)
    tokens = _tokens(pattern[1:] if longest else pattern)
    if modifier == "#":
        match = _regex(tokens, longest=longest).match(value)
        return value if match is None else value[match.end() :]
    match = _regex(tokens[::-1], longest=longest).match(value[::-1])
    return value if match is None else value[: len(value) - match.end()]


def _tokens(pattern: str) -> list[str]:
    r"""Return a shell's pattern as `*`, `?` and `\x`; there are no brackets, as in BuildKit."""
    found: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character in "*?":
            found.append(character)
        else:
            found.append("\\" + (next(characters, character) if character == "\\" else character))
    return found


def _regex(tokens: list[str], *, longest: bool) -> re.Pattern[str]:
    """Return a pattern as a regular expression that does not try each way to divide a text.

    What the first `*` and its next characters match soonest leaves the most to the rest, so that
    it never has to be tried again (`(?>…)`); only the last one decides how long a match is.
    """
    pieces = [""]
    for token in tokens:
        if token == "*":  # noqa: S105 - of a pattern
            pieces.append("")
        else:
            pieces[-1] += "." if token == "?" else re.escape(token[1:])  # noqa: S105 - as above
    first, *middle = pieces
    last = [f"{'.*' if longest else '.*?'}{middle.pop()}"] if middle else []
    soonest = (f"(?>.*?{piece})" for piece in middle if piece)
    return re.compile("".join((first, *soonest, *last)), re.DOTALL)

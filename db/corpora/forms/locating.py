"""Where in a text the words of a mention stand, when a reply gives the words and not the offsets."""

import re

from db.corpora.forms.prediction import Span

_ALIKE = str.maketrans(
    {"–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "“": '"', "”": '"', "‘": "'", "’": "'"}
)


class Locator:
    """Finds mentions in the order in which a reply names them.

    The same words named again mean their next place in the text. Other words are looked for from the last
    mention on, and from the beginning where they do not follow it. Whole words come before parts of words.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._taken: set[tuple[str, Span]] = set()
        self._cursor = 0
        self._squeezed: tuple[str, list[int]] | None = None

    def places(self, words: str) -> list[Span]:
        """Everywhere these words stand, exactly or else apart from case, white space and kind of dash."""
        return self._exact(words) or self._loose(words)

    def next(self, words: str, kind: str = "") -> Span | None:
        """The place meant by naming these words now; None where they do not stand, or not once more."""
        places = self.places(words)
        whole = [place for place in places if self._is_whole(place)]
        free = [place for place in whole or places if (kind, place) not in self._taken]
        ahead = next((place for place in free if place[0] >= self._cursor), None)
        return ahead or (free[0] if free else None)

    def at(self, words: str, occurrence: int) -> Span | None:
        """The place of the first, second, ... occurrence of these words, counted from 1."""
        places = self.places(words)
        return places[occurrence - 1] if 1 <= occurrence <= len(places) else None

    def take(self, place: Span, kind: str = "") -> None:
        """Note that a mention of this kind was found here."""
        self._taken.add((kind, place))
        self._cursor = place[0]

    def _is_whole(self, place: Span) -> bool:
        start, end = place
        text = self.text
        left = start > 0 and text[start - 1].isalnum() and text[start].isalnum()
        right = end < len(text) and text[end - 1].isalnum() and text[end].isalnum()
        return not left and not right

    def _exact(self, words: str) -> list[Span]:
        found, start = [], self.text.find(words) if words else -1
        while start >= 0:
            found.append((start, start + len(words)))
            start = self.text.find(words, start + 1)
        return found

    def _loose(self, words: str) -> list[Span]:
        wanted = squeezed(words)[0]
        if not wanted:
            return []
        if self._squeezed is None:
            self._squeezed = squeezed(self.text)
        text, positions = self._squeezed
        places = []
        for found in re.finditer(f"(?={re.escape(wanted)})", text):
            last = found.start() + len(wanted) - 1
            places.append((positions[found.start()], positions[last] + 1))
        return [place for place in places if self._is_whole(place)]


def squeezed(text: str) -> tuple[str, list[int]]:
    """The text in one case without white space, and for each of its characters the place it came from."""
    characters, positions = [], []
    for position, character in enumerate(text.translate(_ALIKE)):
        if not character.isspace():
            for folded in character.casefold():
                characters.append(folded)
                positions.append(position)
    return "".join(characters), positions

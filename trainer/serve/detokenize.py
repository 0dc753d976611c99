"""Token ids to text, one at a time, as far as the text can no longer change."""

_BROKEN = "\ufffd"


class Detokenizer:
    """Grows one answer. The pieces it returns, joined, are the text of all ids decoded at once.

    A piece is held back while it ends in half a UTF-8 character. Ids are decoded together with those of
    the piece before them, since tokenizers treat a first token otherwise (its leading space, for one).
    """

    def __init__(self, tokenizer) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._start = 0  # where the context begins: the piece before the one in the making
        self._sent = 0  # ids whose text was returned

    def add(self, token_id: int) -> str:
        """The new text that is certain now, often empty."""
        self._ids.append(token_id)
        known, text = self._decode(self._sent), self._decode(len(self._ids))
        if text.endswith(_BROKEN) or len(text) <= len(known):
            return ""
        self._start, self._sent = self._sent, len(self._ids)
        return text[len(known) :]

    def flush(self) -> str:
        """What was held back, at the end of the answer."""
        known, text = self._decode(self._sent), self._decode(len(self._ids))
        self._sent = len(self._ids)
        return text[len(known) :]

    def _decode(self, end: int) -> str:
        return self._tokenizer.decode(
            self._ids[self._start : end], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )

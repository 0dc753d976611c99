"""Rows as what goes through an encoder: pieces of token ids, with the place of each label.

A word's tag stands at its first token. A row longer than the encoder reads is cut into overlapping pieces,
and each word is asked about once, in the piece where it has most context on its shorter side. A text that is
to get a label is cut at the longest row, and how often that was is told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from db.corpora.forms import CannotWrite, OutputForm
from db.corpora.schema import Row
from db.encoder_heads import TOKENS, Head
from trainer.encoders.heads import labels_of, tag, tags_of, texts_of, words_of

IGNORED = -100
_TOGETHER = 500  # rows tokenised at once
_OVERLAP = 4  # the n-th part of a piece is also in the next


@dataclass(frozen=True)
class Piece:
    """What goes through the model at once: a row, or a part of a long one.

    `asked` are (token, word) for each word that this piece is asked about; empty for a label of the whole.
    `label` is the head's number of the right label, a flag a label where a text has several, or empty.
    """

    row: int  # its place among the rows encoded
    ids: tuple[int, ...]
    types: tuple[int, ...]
    asked: tuple[tuple[int, int], ...] = ()
    label: tuple[int, ...] = ()


class Pieces(Sequence[Piece]):
    """The pieces of some rows, with what was found in making them."""

    def __init__(self, pieces: list[Piece], *, rows: int, cut: int = 0, unsaid: int = 0) -> None:
        self._pieces = pieces
        self.rows = rows
        self.cut = cut  # texts that were cut, or rows read in several pieces
        self.unsaid = unsaid  # mentions that no tags can say
        self.lengths = np.array([len(piece.ids) for piece in pieces], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._pieces)

    def __getitem__(self, at):
        return self._pieces[at]


def encode(
    rows: Sequence[Row],
    form: OutputForm,
    head: Head,
    tokenizer: PreTrainedTokenizerBase,
    *,
    longest: int,
    with_labels: bool,
    tell: Callable[[int], None] = lambda done: None,
) -> Pieces:
    """The rows as pieces of at most `longest` tokens; `tell` hears how many rows are done.

    Raises ValueError with one sentence for a row whose label the form does not know.
    """
    make = _tagged if head.kind == TOKENS else _labelled
    pieces: list[Piece] = []
    cut = unsaid = 0
    for begin in range(0, len(rows), _TOGETHER):
        some = rows[begin : begin + _TOGETHER]
        rights = [_right(row, form, head) for row in some] if with_labels else [()] * len(some)
        unsaid += sum(tag(row, form).unsaid for row in some) if with_labels and head.kind == TOKENS else 0
        made, shortened = make(some, rights, begin, tokenizer, longest)
        pieces += made
        cut += shortened
        tell(min(len(rows), begin + _TOGETHER))
    return Pieces(pieces, rows=len(rows), cut=cut, unsaid=unsaid)


@dataclass(frozen=True)
class Collator:
    """Makes padded tensors of pieces: input_ids, attention_mask, perhaps token_type_ids, all (B, T).

    With the right answers known, labels too: (B, T) where words are tagged, IGNORED but at the first token of
    each word asked about; else (B,), or flags (B, labels) where a text has several.
    """

    pad: int
    with_types: bool  # the encoder tells two texts apart by them
    several: bool = False

    def __call__(self, pieces: Sequence[Piece]) -> dict[str, torch.Tensor]:
        shape = (len(pieces), max(len(piece.ids) for piece in pieces))
        ids, tags = torch.full(shape, self.pad), torch.full(shape, IGNORED)
        types, mask = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
        for at, piece in enumerate(pieces):
            length = len(piece.ids)
            ids[at, :length] = torch.tensor(piece.ids)
            types[at, :length] = torch.tensor(piece.types)
            mask[at, :length] = 1
            for (token, _), label in zip(piece.asked, piece.label, strict=False):
                tags[at, token] = label
        batch = {"input_ids": ids, "attention_mask": mask}
        if self.with_types:
            batch["token_type_ids"] = types
        if not pieces[0].label:
            return batch
        right = torch.tensor([piece.label for piece in pieces]) if not pieces[0].asked else tags
        if self.several:
            right = right.float()
        elif not pieces[0].asked:
            right = right[:, 0]
        return batch | {"labels": right}


def _right(row: Row, form: OutputForm, head: Head) -> tuple[int, ...]:
    """The numbers of the right tags or label, or the flags of several."""
    try:
        if head.kind == TOKENS:
            numbers = {name: number for number, name in enumerate(tags_of(head))}
            return tuple(numbers[said] for said in tag(row, form).tags)
        labels = labels_of(row, form)
    except CannotWrite as refusal:
        raise ValueError(
            f"train task: row {row.id}: {refusal.obstacle.value}; mend the row or leave it out."
        ) from refusal
    if head.takes_several:
        return tuple(int(name in labels) for name in head.labels)
    return (head.labels.index(labels[0]),)


def _tagged(rows, rights, first: int, tokenizer, longest: int) -> tuple[list[Piece], int]:
    spans = [words_of(row) for row in rows]
    words = [[row.text[a:b] for a, b in places] for row, places in zip(rows, spans, strict=True)]
    filled = [at for at, some in enumerate(words) if some]
    if not filled:
        return [], 0  # rows of signs no tokenizer knows, or of nothing
    room = longest - tokenizer.num_special_tokens_to_add()
    found = tokenizer(
        [words[at] for at in filled],
        is_split_into_words=True,
        truncation=True,
        max_length=longest,
        stride=min(room // _OVERLAP, room - 1),
        return_overflowing_tokens=True,
        return_token_type_ids=True,
    )
    of_row: dict[int, list[int]] = {}
    for piece, at in enumerate(found["overflow_to_sample_mapping"]):
        of_row.setdefault(filled[at], []).append(piece)
    pieces = []
    for at, numbers in of_row.items():
        asked = _share_out([_first_tokens(found.word_ids(number)) for number in numbers])
        for number, places in zip(numbers, asked, strict=True):
            if not places:
                continue  # all its words are asked about in its neighbours
            label = tuple(rights[at][word] for _, word in places) if rights[at] else ()
            pieces.append(
                Piece(
                    first + at,
                    tuple(found["input_ids"][number]),
                    tuple(found["token_type_ids"][number]),
                    places,
                    label,
                )
            )
    return pieces, sum(len(numbers) > 1 for numbers in of_row.values())


def _first_tokens(words: Sequence[int | None]) -> list[tuple[int, int, int]]:
    """(token, word, room) of the first token of each word; room is to the nearer end of the piece."""
    inside = [at for at, word in enumerate(words) if word is not None]
    if not inside:
        return []
    low, high = inside[0], inside[-1]
    return [
        (at, words[at], min(at - low, high - at)) for at in inside if at == 0 or words[at - 1] != words[at]
    ]


def _share_out(found: list[list[tuple[int, int, int]]]) -> list[tuple[tuple[int, int], ...]]:
    """For each piece the (token, word) it is asked about: where pieces overlap, the one with more room."""
    best: dict[int, tuple[int, int]] = {}  # word -> (room, piece)
    for piece, places in enumerate(found):
        for _, word, room in places:
            if word not in best or room > best[word][0]:
                best[word] = (room, piece)
    return [
        tuple((token, word) for token, word, _ in places if best[word][1] == piece)
        for piece, places in enumerate(found)
    ]


def _labelled(rows, rights, first: int, tokenizer, longest: int) -> tuple[list[Piece], int]:
    texts = [texts_of(row) for row in rows]
    is_pair = any(second for _, second in texts)
    read = partial(tokenizer, return_token_type_ids=True, return_attention_mask=False, verbose=False)
    found = read([one for one, _ in texts], [second for _, second in texts] if is_pair else None)
    pieces, cut = [], 0
    for at, (ids, types) in enumerate(zip(found["input_ids"], found["token_type_ids"], strict=True)):
        if len(ids) > longest:
            shorter = read(*texts[at][: 1 + is_pair], truncation="longest_first", max_length=longest)
            ids, types = shorter["input_ids"], shorter["token_type_ids"]
            cut += 1
        pieces.append(Piece(first + at, tuple(ids), tuple(types), (), rights[at]))
    return pieces, cut

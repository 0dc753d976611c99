"""The stand-in: a small encoder built from a config where no weights can be had. It was never pretrained.

It learns words and task from the training rows alone, so its scores say what the rows teach, not what BioBERT
would reach. Whatever shows it says so.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

WORDS = 6_000  # pieces in its vocabulary at most
_OFTEN = 1_000  # a word counts so often at most when pieces are chosen
_SPECIAL = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
SHAPE = {
    "hidden_size": 192,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "intermediate_size": 576,
}


def build(
    texts: Iterable[str], folder: Path, *, longest: int, seed: int, shape: Mapping[str, int] = SHAPE
) -> Path:
    """Write the stand-in to `folder`, with a vocabulary made of `texts`; it reads up to `longest` tokens.

    The same texts and seed give the same weights. A folder that is there already is taken as it is: an
    attempt that goes on needs the very encoder it began with.
    """
    if folder.is_dir():
        return folder
    partial = folder.with_name(folder.name + ".partial")
    tokenizer = _tokenizer(texts, longest)
    tokenizer.save_pretrained(partial)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=longest,
        pad_token_id=tokenizer.pad_token_id,
        **shape,
    )
    BertModel(config).save_pretrained(partial)
    partial.rename(folder)
    return folder


def _tokenizer(texts: Iterable[str], longest: int) -> PreTrainedTokenizerBase:
    """WordPiece, as BERT's, with capitals kept: names of genes and chemicals are told apart by them."""
    normalizer, splitter = normalizers.BertNormalizer(lowercase=False), pre_tokenizers.BertPreTokenizer()
    words: Counter[str] = Counter()
    for text in texts:
        words.update(word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))
    vocabulary = {piece: number for number, piece in enumerate(_vocabulary(words))}
    core = Tokenizer(models.WordPiece(vocabulary, unk_token=_SPECIAL["unk_token"]))
    core.normalizer, core.pre_tokenizer = normalizer, splitter
    marks = [(_SPECIAL[name], vocabulary[_SPECIAL[name]]) for name in ("cls_token", "sep_token")]
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=marks
    )
    return PreTrainedTokenizerFast(tokenizer_object=core, model_max_length=longest, **_SPECIAL)


def _vocabulary(words: Counter[str]) -> list[str]:
    """The special tokens, each sign at the head of a word and inside, and the most used pieces of words.

    The pieces are what byte pair encoding makes of the words. The library's own WordPiece trainer numbers its
    signs by the order of a hash table, and gives another vocabulary each time.
    """
    splits = Tokenizer(models.BPE())
    in_order = sorted(words)
    splits.train_from_iterator(
        (word for word in in_order for _ in range(min(words[word], _OFTEN))),
        trainers.BpeTrainer(vocab_size=WORDS, min_frequency=2, show_progress=False),
    )
    pieces: Counter[str] = Counter()
    for word in in_order:
        for at, piece in enumerate(splits.encode(word).tokens):
            pieces["##" * bool(at) + piece] += words[word]
    signs = sorted({sign for word in words for sign in word})
    used = sorted(pieces, key=lambda piece: (-pieces[piece], piece))
    return list(dict.fromkeys([*_SPECIAL.values(), *signs, *(f"##{sign}" for sign in signs), *used]))[:WORDS]

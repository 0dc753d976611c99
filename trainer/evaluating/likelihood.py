"""How likely a model finds each of several answers: the sum of its tokens' log-probabilities, in nats.

What answers share is read once (`trees`). A model for which that does not hold (a sliding window shorter than
the row, a state that runs along) reads every answer for itself; a probe tells which, not a list of names.
"""

from collections.abc import Sequence

import numpy as np
import torch
from transformers import PreTrainedModel

from trainer.evaluating import trees
from trainer.evaluating.cache import Beginning, is_plain, keep_logits
from trainer.evaluating.trees import Tree

_APART = {torch.float32: 1e-3, torch.bfloat16: 0.2, torch.float16: 0.05}  # nats, over the probe's few tokens


@torch.inference_mode()
def score(
    model: PreTrainedModel, batch: Sequence[Tree], beginning: Beginning | None = None
) -> list[list[float]]:
    """The log-likelihood in nats of every sequence of every tree, in one pass.

    With a `beginning`, the trees were grown without it.
    """
    read = len(beginning) if beginning else 0
    widest, counting = max(map(len, batch)), max(tree.counting for tree in batch)
    ids = np.zeros((len(batch), widest), np.int64)
    places = np.zeros((len(batch), widest), np.int64)
    sees = np.zeros((len(batch), 1, widest, read + widest), bool)
    sees[..., :read] = True
    for row, tree in enumerate(batch):  # padded on the left: the nodes that count stand last
        pad = widest - len(tree)
        ids[row, pad:], places[row, pad:] = tree.tokens, read + tree.depths
        sees[row, 0, pad:, read + pad :] = tree.sees()
    sees[:, 0, range(widest), range(read, read + widest)] = (
        True  # padding sees itself: no row may see nothing
    )
    device, dtype = model.device, model.dtype
    hidden = torch.zeros(sees.shape, dtype=dtype, device=device)
    hidden.masked_fill_(~torch.from_numpy(sees).to(device), torch.finfo(dtype).min)
    logits = model(
        input_ids=torch.from_numpy(ids).to(device),
        position_ids=torch.from_numpy(places).to(device),
        attention_mask=hidden,
        past_key_values=beginning.open(model, len(batch), widest) if read else None,
        use_cache=bool(read),
        **keep_logits(model, counting),
    ).logits[:, -counting:]  # (rows, counting, vocabulary)
    return [_of_tree(tree, logits[row, counting - tree.counting :]) for row, tree in enumerate(batch)]


def _of_tree(tree: Tree, logits: torch.Tensor) -> list[float]:
    """Of each sequence, from the logits (counting, vocabulary) behind the nodes that count."""
    logits = logits.float()
    nodes = np.concatenate([tree.foretelling(at) for at in range(len(tree.targets))])
    targets = np.concatenate(tree.targets)
    index = torch.from_numpy(np.stack([nodes, targets])).to(logits.device)
    said = (logits[index[0], index[1]] - logits.logsumexp(-1)[index[0]]).double().cpu().numpy()
    ends = np.cumsum([len(target) for target in tree.targets])[:-1]
    return [float(part.sum()) for part in np.split(said, ends)]


@torch.inference_mode()
def score_plainly(
    model: PreTrainedModel, sequences: Sequence[Sequence[int]], starts: Sequence[int]
) -> list[float]:
    """The log-likelihood in nats of each sequence from its start on, every sequence read for itself."""
    longest = max(map(len, sequences))
    ids = torch.zeros(len(sequences), longest, dtype=torch.long)
    mask = torch.zeros(len(sequences), longest, dtype=torch.long)
    for row, sequence in enumerate(sequences):  # padded on the right: what comes later is never seen
        ids[row, : len(sequence)], mask[row, : len(sequence)] = torch.tensor(sequence), 1
    ids = ids.to(model.device)
    logits = model(input_ids=ids, attention_mask=mask.to(model.device), use_cache=False).logits
    found = []
    for row, (sequence, start) in enumerate(zip(sequences, starts, strict=True)):
        of_row = logits[row, start - 1 : len(sequence) - 1].float().log_softmax(-1)
        targets = ids[row, start : len(sequence), None]
        found.append(float(of_row.gather(-1, targets).double().sum()))
    return found


def reads_trees(model: PreTrainedModel) -> bool:
    """True when the model scores a small tree as it scores the sequences themselves."""
    if not is_plain(model):
        return False
    shared, tails = [3, 7, 4, 9, 5, 6, 8], ([11, 4, 9], [11, 6], [4, 4, 8, 7])
    sequences, starts = [shared + tail for tail in tails], [len(shared)] * len(tails)
    plain = score_plainly(model, sequences, starts)
    try:
        [packed] = score(model, [trees.grow(sequences, starts)])
        beginning = Beginning(model, shared[:3])
        [behind] = score(model, [trees.grow(sequences, starts, skip=3)], beginning)
    except (
        ValueError,
        TypeError,
        RuntimeError,
        AttributeError,
    ):  # what models raise for a mask they do not take
        return False
    return all(np.allclose(plain, other, rtol=0, atol=_APART[model.dtype]) for other in (packed, behind))

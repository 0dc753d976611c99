"""Which option a model finds most likely, by three rules that the literature mixes up.

- *cyclic*: log-likelihood per token, averaged over the cyclic orders of the options. Neither a long option
  nor the one that stands first is favoured.
- *first*: the summed log-likelihood with the options in the row's own order. lm-evaluation-harness's `acc`.
- *normalised*: the same divided by the option's length in characters. lm-evaluation-harness's `acc_norm`
  (0.4.13 divides by characters; its `acc_bytes` by bytes, which of ASCII is the same).

Of equally likely options the first counts, as in numpy's argmax.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Chosen:
    """The option chosen by each rule, by its index in the row; None where there are no options."""

    cyclic: int | None
    first: int | None
    normalised: int | None


def choose(
    likelihoods: Sequence[Sequence[float]],
    lengths: Sequence[Sequence[int]],
    continuations: Sequence[str],
) -> Chosen:
    """`likelihoods[order][option]` in nats and `lengths[order][option]` in tokens, the row's own order first;
    `continuations[option]` as written in it. Orders may be one alone.
    """
    if not likelihoods or not len(likelihoods[0]):
        return Chosen(None, None, None)
    nats = np.nan_to_num(np.asarray(likelihoods, float), nan=-np.inf)  # (orders, options)
    tokens = np.maximum(np.asarray(lengths, float), 1)
    characters = np.maximum([len(text.strip()) for text in continuations], 1)
    return Chosen(
        int(np.argmax((nats / tokens).mean(0))),
        int(np.argmax(nats[0])),
        int(np.argmax(nats[0] / characters)),
    )


def count(chosen: Chosen, right: int | None) -> dict[str, float]:
    """What the choices add up for the option measures."""
    named = {
        "option_right": chosen.cyclic,
        "first_right": chosen.first,
        "normalised_right": chosen.normalised,
    }
    return {name: float(index is not None and index == right) for name, index in named.items()}

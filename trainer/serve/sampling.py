"""Which token comes next: the likeliest one, or one drawn with dice that every row shares."""

import torch


class Dice:
    """Picks a token for each row of a step.

    At a temperature above 0 it uses the Gumbel-max trick (Gumbel 1954; Maddison et al. 2014, "A* Sampling"):
    argmax(logits / temperature + g), with g from the standard Gumbel distribution, is a draw from
    softmax(logits / temperature). All rows of a step get the same g. So where the sides' answers part, the
    weights parted them, never the dice; and a row drawn alone with the same seed says the same.
    """

    def __init__(self, temperature: float, seed: int) -> None:
        self._temperature = temperature
        # On the CPU whatever the model runs on: the same seed is the same dice on every device.
        self._generator = torch.Generator().manual_seed(seed)

    def pick(self, logits: torch.Tensor) -> torch.Tensor:
        """Token ids (rows,) from logits (rows, vocabulary)."""
        if self._temperature == 0:
            return logits.argmax(dim=-1)
        # -log of an exponential variate is a Gumbel variate
        noise = -torch.empty(logits.shape[-1]).exponential_(generator=self._generator).log()
        return (logits.float() / self._temperature + noise.to(logits.device)).argmax(dim=-1)

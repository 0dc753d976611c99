"""What a model has read, kept so that growing it copies nothing, and a beginning that many rows share.

transformers' own cache is copied whole at every token. Measured on the starter, one core, 32 rows of 400
tokens: see `Roomy`. It knows models of plain attention alone; others keep the cache they make themselves.
"""

import torch
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import Cache, DynamicLayer


class Roomy(DynamicLayer):
    """A layer's keys and values (rows, heads, tokens, size), with room for the tokens that will come."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room, self._held = room, 0
        self._all: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args, **kwargs):
        if self._all is None:
            self.lazy_initialization(key_states, value_states)
            self._all = self._empty(key_states), self._empty(value_states)
        begin, self._held = self._held, self._held + key_states.shape[-2]
        for held, new in zip(self._all, (key_states, value_states), strict=True):
            held[:, :, begin : self._held] = new
        return self._show()

    def fill(self, keys: torch.Tensor, values: torch.Tensor, rows: int) -> None:
        """Begin with what one row (1, heads, tokens, size) has read, for `rows` rows."""
        self.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1))

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        if self._all is not None:
            keys, values = self._all
            self._all = keys[indices], values[indices]
            self._show()

    def _empty(self, like: torch.Tensor) -> torch.Tensor:
        rows, heads, tokens, size = like.shape
        return like.new_empty(rows, heads, max(self._room, tokens), size)

    def _show(self) -> tuple[torch.Tensor, torch.Tensor]:
        assert self._all is not None
        self.keys, self.values = (held[:, :, : self._held] for held in self._all)
        return self.keys, self.values


class Beginning:
    """The tokens that every row begins with, read once."""

    def __init__(self, model: PreTrainedModel, ids: list[int]) -> None:
        self.ids = ids
        self._layers: list[tuple[torch.Tensor, torch.Tensor]] = []
        if ids:
            batch = torch.tensor([ids], device=model.device)
            with torch.inference_mode():
                read = model(input_ids=batch, use_cache=True, **keep_logits(model, 1)).past_key_values
            self._layers = [(layer.keys, layer.values) for layer in read.layers]

    def __len__(self) -> int:
        return len(self.ids)

    def open(self, model: PreTrainedModel, rows: int, room: int) -> Cache:
        """A cache for `rows` rows that have read it, with room for `room` tokens more."""
        layers = [Roomy(len(self) + room) for _ in range(count_layers(model))]
        for layer, read in zip(layers, self._layers, strict=False):
            layer.fill(*read, rows)
        return Cache(layers=layers)


def is_plain(model: PreTrainedModel) -> bool:
    """True where every layer looks back at all that was read: no sliding windows, no running states."""
    layers = DynamicCache(config=model.config).layers
    return bool(layers) and all(type(layer) is DynamicLayer for layer in layers)


def count_layers(model: PreTrainedModel) -> int:
    return model.config.get_text_config(decoder=True).num_hidden_layers


def keep_logits(model: PreTrainedModel, last: int) -> dict[str, int]:
    """The argument by which a model gives logits for the last tokens alone, where it knows one."""
    from inspect import signature

    return {"logits_to_keep": last} if "logits_to_keep" in signature(model.forward).parameters else {}

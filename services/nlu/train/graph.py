"""The forms in which a query model is exported: the same function as few operators.

transformers writes attention for every case there is, and masks by a dozen small operators; at one
query a pass those take as long as the arithmetic. A BERT encoder is therefore written again here,
with one product for query, key and value, and either in standard operators alone (for any runtime)
or with the fused ones of ONNX Runtime. Other encoders are exported as they are.
"""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from services.nlu.train.examples import TaskKind
from services.nlu.train.model import EMBEDDING, QueryModel, Read

ENCODER_WEIGHTS = "encoder_"
"""How the names of the initializers begin that hold large matrices, the encoder's and those of the
convolutions on top of it."""

_FUSED = "com.microsoft::"
_HIDDEN = -10_000.0


class GraphModel(nn.Module):
    """A query model whose outputs come in a fixed order.

    Args:
        model: In evaluation mode, tuning merged; its weights are shared.
        fused: Whether operators of ONNX Runtime alone may be used.
    """

    def __init__(self, model: QueryModel, *, fused: bool) -> None:
        super().__init__()
        encoder = model.encoder
        if is_bert(encoder):
            encoder = GraphEncoder(encoder, fused=fused)
        elif hasattr(encoder, "set_attn_implementation"):
            encoder.set_attn_implementation("eager")
        self.inner = QueryModel(model.spec, encoder)
        self.inner.heads = nn.ModuleDict({name: _drawn(head) for name, head in model.heads.items()})
        self.eval()

    def forward(self, input_ids: torch.Tensor, segments: torch.Tensor | None = None) -> Any:
        """(batch, tokens) int32 twice, or once -> the outputs in the order of `output_names`."""
        outputs = self.inner(input_ids, segments)
        return tuple(outputs[name] for name in output_names(self.inner))


class GraphTokenHead(nn.Module):
    """A convolved head of tags, its convolution written as products that 8 bits can hold.

    States and bigrams have a product each: their numbers are of different sizes, and what is
    rounded together has one scale.

    Args:
        head: A `TokenHead` with a convolution, whose weights are shared.
    """

    def __init__(self, head: Any) -> None:
        super().__init__()
        self.linear, self.windows = head.linear, head.windows
        # (width, width + bigrams, 3) -> (3, width + bigrams, width)
        taps: torch.Tensor = head.convolution.weight.detach().permute(2, 1, 0)
        width = taps.shape[2]
        for name, part in (("states", taps[:, :width]), ("bigrams", taps[:, width:])):
            self.register_buffer(f"{ENCODER_WEIGHTS}{name}", part.flatten(0, 1).contiguous())
        self.bias: torch.Tensor
        self.register_buffer("bias", head.convolution.bias.detach())

    def forward(self, states: torch.Tensor, read: Read) -> torch.Tensor:
        """As `TokenHead.forward`."""
        local: torch.Tensor = self.bias
        for name, values in (("states", states), ("bigrams", read.bigrams)):
            weight: torch.Tensor = getattr(self, f"{ENCODER_WEIGHTS}{name}")
            local = local + _beside(values * read.mask) @ weight
        logits = self.linear(states + functional.gelu(local))
        return logits if self.windows is None else logits + self.windows(read.ids, read.places)


def _drawn(head: Any) -> nn.Module:
    return GraphTokenHead(head) if getattr(head, "convolution", None) is not None else head


def _beside(values: torch.Tensor) -> torch.Tensor:
    """(batch, tokens, width) -> (batch, tokens, 3 * width): before, at and after each token."""
    edge = torch.zeros_like(values[:, :1])
    before = torch.cat([edge, values[:, :-1]], dim=1)
    after = torch.cat([values[:, 1:], edge], dim=1)
    return torch.cat([before, values, after], dim=-1)


def output_names(model: QueryModel) -> list[str]:
    """Returns the names of a model's outputs: its heads in order, then the vector."""
    heads = [head.name for head in model.spec.heads if head.kind is not TaskKind.PAIRS]
    return [*heads, EMBEDDING]


def input_names(model: QueryModel) -> list[str]:
    """Returns the names of a model's inputs."""
    return ["input_ids", "segments"] if model.spec.word_places else ["input_ids"]


def is_bert(encoder: Any) -> bool:
    """Whether an encoder is a BERT that `GraphEncoder` can stand in for."""
    config = encoder.config
    return (
        getattr(config, "model_type", "") == "bert"
        and config.hidden_act == "gelu"
        and not getattr(config, "is_decoder", False)
        and hasattr(encoder, "embeddings")
    )


@dataclass(frozen=True)
class _Shape:
    heads: int
    head_width: int


class GraphEncoder(nn.Module):
    """BERT with its matrices transposed, as ONNX multiplies by them, and joined where they can be.

    Layers may have lost heads: each has its own number of them.

    Args:
        bert: A `transformers.BertModel`.
        fused: Whether operators of ONNX Runtime alone may be used.
    """

    def __init__(self, bert: Any, *, fused: bool) -> None:
        super().__init__()
        self.config = bert.config
        self.fused = fused
        self.embeddings = bert.embeddings
        self.shapes: list[_Shape] = []
        self.norms = nn.ModuleList()
        for at, layer in enumerate(bert.encoder.layer):
            attention = layer.attention.self
            self.shapes.append(_Shape(attention.num_attention_heads, attention.attention_head_size))
            joined = [attention.query, attention.key, attention.value]
            self._keep(f"qkv_{at}", torch.cat([part.weight for part in joined]))
            self._keep_bias(f"qkv_{at}", torch.cat([part.bias for part in joined]))
            for name, part in (
                ("project", layer.attention.output.dense),
                ("expand", layer.intermediate.dense),
                ("contract", layer.output.dense),
            ):
                self._keep(f"{name}_{at}", part.weight)
                self._keep_bias(f"{name}_{at}", part.bias)
            self.norms.append(layer.attention.output.LayerNorm)
            self.norms.append(layer.output.LayerNorm)

    def get_input_embeddings(self) -> nn.Module:
        """Returns the table of tokens, as transformers names it."""
        return self.embeddings.word_embeddings

    def _keep(self, name: str, weight: torch.Tensor) -> None:
        self.register_buffer(f"{ENCODER_WEIGHTS}{name}", weight.detach().T.contiguous())

    def _keep_bias(self, name: str, bias: torch.Tensor) -> None:
        self.register_buffer(f"bias_{name}", bias.detach())

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> Any:
        """Returns an object whose `last_hidden_state` is (batch, tokens, width)."""
        words = self.embeddings.word_embeddings(input_ids)
        return SimpleNamespace(last_hidden_state=self.encode(words, attention_mask, token_type_ids))

    def encode(
        self,
        words: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Embeddings of words -> states, both (batch, tokens, width)."""
        table = self.embeddings
        states = words + table.position_embeddings.weight[: words.shape[1]]
        kinds = table.token_type_embeddings
        states = states + (kinds.weight[0] if token_type_ids is None else kinds(token_type_ids))
        states = table.LayerNorm(states)
        for at, shape in enumerate(self.shapes):
            mixed = self._attend(at, shape, states, attention_mask)
            states = self._add_norm(f"project_{at}", mixed, states, self.norms[2 * at])
            wide = self._expand(at, states)
            states = self._add_norm(f"contract_{at}", wide, states, self.norms[2 * at + 1])
        return states

    def _attend(
        self, at: int, shape: _Shape, states: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        weight, bias = self._matrix(f"qkv_{at}")
        width = shape.heads * shape.head_width
        if self.fused:
            batch, tokens = states.shape[:2]
            return _symbolic(
                "Attention",
                (states, weight, bias, mask.to(torch.int32)),
                {"num_heads": shape.heads},
                (batch, tokens, width),
            )
        joined: Any = states @ weight + bias
        parts = joined.unflatten(2, (3, shape.heads, shape.head_width))
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        scores = query @ key.transpose(2, 3) * shape.head_width**-0.5
        hidden = (1.0 - mask.to(scores.dtype)) * _HIDDEN
        shares = torch.softmax(scores + hidden[:, None, None, :], dim=-1)
        return (shares @ value).transpose(1, 2).flatten(2)

    def _expand(self, at: int, states: torch.Tensor) -> torch.Tensor:
        weight, bias = self._matrix(f"expand_{at}")
        wide = states @ weight
        if self.fused:
            return _symbolic("BiasGelu", (wide, bias), {}, wide.shape)
        return functional.gelu(wide + bias)

    def _add_norm(
        self, name: str, update: torch.Tensor, states: torch.Tensor, norm: Any
    ) -> torch.Tensor:
        weight, bias = self._matrix(name)
        update = update @ weight
        if self.fused:
            given = (update, states, norm.weight, norm.bias, bias)
            return _symbolic("SkipLayerNormalization", given, {"epsilon": norm.eps}, states.shape)
        return norm(update + bias + states)

    def _matrix(self, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        return getattr(self, f"{ENCODER_WEIGHTS}{name}"), getattr(self, f"bias_{name}")


def _symbolic(name: str, given: Any, attributes: dict[str, Any], shape: Any) -> torch.Tensor:
    onnx_operators: Any = torch.onnx.ops
    return onnx_operators.symbolic(
        f"{_FUSED}{name}",
        given,
        attrs=attributes,
        dtype=torch.float32,
        shape=tuple(shape),
        version=1,
    )

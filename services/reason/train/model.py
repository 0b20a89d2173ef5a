"""The network: a decoder of GPT-2's kind (Radford et al., 2019), small enough for two cores."""

import json
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, Field
from transformers import GPT2Config, GPT2LMHeadModel

_TORCH: Any = torch
CONFIG, WEIGHTS = "config.json", "weights.pt"


class NetworkSettings(BaseModel):
    """Its size."""

    layers: int = Field(default=4, ge=1)
    width: int = Field(default=192, ge=8)
    heads: int = Field(default=6, ge=1)
    positions: int = Field(default=128, ge=8)
    """Tokens of prefix and reason at most."""
    dropout: float = Field(default=0.1, ge=0, lt=1)


def build_network(settings: NetworkSettings, vocabulary_size: int) -> Any:
    """Returns a network with random weights; embedding and output share theirs."""
    config = GPT2Config(
        vocab_size=vocabulary_size,
        n_positions=settings.positions,
        n_embd=settings.width,
        n_layer=settings.layers,
        n_head=settings.heads,
        resid_pdrop=settings.dropout,
        embd_pdrop=settings.dropout,
        attn_pdrop=settings.dropout,
        bos_token_id=1,
        eos_token_id=1,
        pad_token_id=0,
    )
    return GPT2LMHeadModel(config)


def reason_loss(network: Any, ids: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean of -log P(r_i | r_<i, p) over the tokens of the reasons, which `targets` marks.

    Args:
        network: A causal model of transformers.
        ids: (batch, tokens), padded at the end.
        targets: (batch, tokens) bool: true where the token itself belongs to a reason.

    Returns:
        A scalar.
    """
    # Padding stands at the end, where causal attention never looks back at it.
    all_seen = _TORCH.ones_like(ids)
    hidden = network.transformer(input_ids=ids, attention_mask=all_seen).last_hidden_state[:, :-1]
    wanted = targets[:, 1:]
    logits = network.lm_head(hidden[wanted])
    return torch.nn.functional.cross_entropy(logits.float(), ids[:, 1:][wanted])


def causal_loss(network: Any, ids: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """As `reason_loss`, for any causal model of transformers."""
    wanted = targets[:, 1:]
    logits = network(input_ids=ids, attention_mask=_TORCH.ones_like(ids)).logits[:, :-1][wanted]
    return torch.nn.functional.cross_entropy(logits.float(), ids[:, 1:][wanted])


def save_network(network: Any, settings: NetworkSettings, folder: Path) -> None:
    """Writes the size and the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    size = {**settings.model_dump(), "vocabulary": network.config.vocab_size}
    (folder / CONFIG).write_text(json.dumps(size, indent=1) + "\n", encoding="utf-8")
    part = folder / f"{WEIGHTS}.part"
    torch.save(network.state_dict(), part)
    part.replace(folder / WEIGHTS)


def take_weights(network: Any, folder: Path) -> None:
    """Takes over the weights of another run of the same size, whose vocabulary may be shorter.

    Tokens that the other run lacks begin as the mean of those that it has.

    Raises:
        ValueError: The sizes differ.
    """
    known = load_network(folder)
    if (
        known.config.n_embd != network.config.n_embd
        or known.config.n_layer != network.config.n_layer
    ):
        raise ValueError(f"the network of {folder} has another size")
    weights = dict(known.state_dict())
    old = weights["transformer.wte.weight"]
    grown = old.mean(0, keepdim=True).repeat(network.config.vocab_size, 1)
    grown[: len(old)] = old
    weights["transformer.wte.weight"] = weights["lm_head.weight"] = grown
    network.load_state_dict(weights)


def load_network(folder: Path) -> Any:
    """Reads what `save_network` wrote, in evaluation mode."""
    size = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    vocabulary = size.pop("vocabulary")
    network = build_network(NetworkSettings(**size), vocabulary)
    network.load_state_dict(torch.load(folder / WEIGHTS, weights_only=True))
    return network.eval()

"""Tiny models of Hugging Face, with a tokenizer that knows none of our marks."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_WIDTH, _POSITIONS = 64, 160
_STEPS, _ROWS, _LENGTH = 200, 16, 48
_RATES = {"gpt2": 1e-2, "qwen2": 4e-3}
_WARM = 10


def tiny_model(kind: str, texts: Sequence[str], folder: Path) -> Path:
    """Teaches a model of chance weights some texts, and writes it as a folder of Hugging Face.

    Args:
        kind: "gpt2" or "qwen2"; the head of the second has weights of its own.
        texts: What model and byte-level tokenizer, such as both kinds have, are trained on.
        folder: Where to.
    """
    import tokenizers
    import torch
    import transformers

    torch.manual_seed(0)
    made: Any = tokenizers.ByteLevelBPETokenizer()
    made.train_from_iterator(texts, vocab_size=1_500, min_frequency=2, show_progress=False)
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=made)
    size = len(tokenizer)
    if kind == "gpt2":
        config: Any = transformers.GPT2Config(
            vocab_size=size, n_embd=_WIDTH, n_layer=2, n_head=2, n_positions=_POSITIONS
        )
    else:
        config = transformers.Qwen2Config(
            vocab_size=size,
            hidden_size=_WIDTH,
            intermediate_size=2 * _WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=_POSITIONS,
        )
    loader: Any = transformers.AutoModelForCausalLM
    network = loader.from_config(config)
    _teach(network, _RATES[kind], [index for text in texts for index in made.encode(text).ids])
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _teach(network: Any, rate: float, ids: Sequence[int]) -> None:
    import torch

    optimiser = torch.optim.AdamW(network.parameters(), lr=rate)
    read = itertools.cycle(ids)
    for step in range(_STEPS):
        for group in optimiser.param_groups:
            group["lr"] = rate * min((step + 1) / _WARM, 1.1 - step / _STEPS)
        batch = torch.tensor(list(itertools.islice(read, _ROWS * _LENGTH))).view(_ROWS, _LENGTH)
        loss: Any = network(input_ids=batch, labels=batch).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

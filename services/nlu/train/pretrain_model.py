"""What is pretrained: an encoder that restores hidden words and, of labelled texts, their classes.

A text whose words are hidden still has its label, and the pass over it is paid for already: the
labels of the training halves make a short pretraining go further (supervised tasks beside the
denoising one: Aribandi et al., "ExT5", 2022).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import BertForMaskedLM

from services.nlu.train.bigram_embedding import BUCKETS, BigramEmbedding, fit_bigrams
from services.nlu.train.masking import IGNORED
from services.nlu.train.model import ClassHead, HeadSpec, Read


class Pretraining(torch.nn.Module):
    """A masked language model with heads of classes, which are dropped at the end.

    Args:
        masked: Of transformers, with its encoder as `base_model`.
        heads: Of classes.
    """

    def __init__(self, masked: Any, heads: Sequence[HeadSpec] = ()) -> None:
        super().__init__()
        self.masked = masked
        width = int(masked.config.hidden_size)
        self.heads = torch.nn.ModuleDict({head.name: ClassHead(head, width) for head in heads})

    @property
    def encoder(self) -> Any:
        """What is kept."""
        return self.masked.base_model

    def forward(self, batch: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        """Reads a batch.

        Args:
            batch: "input_ids" and "segments", (batch, tokens), and "chosen", (batch, tokens) bool,
                the tokens to restore.

        Returns:
            "mlm" (chosen, vocabulary) and per head (batch, classes).
        """
        ids = batch["input_ids"]
        given = {"input_ids": ids, "attention_mask": (ids != 0).long()}
        if batch["segments"].any():
            given["token_type_ids"] = batch["segments"]
        if not hasattr(self.masked, "cls"):  # not of BERT's kind
            return {"mlm": self.masked(**given).logits[batch["chosen"]]}
        states = self.encoder(**given).last_hidden_state
        mask = given["attention_mask"].unsqueeze(-1).to(states.dtype)
        read = Read(ids, mask, self.encoder)
        logits = {name: head(states, read) for name, head in self.heads.items()}
        # The output layer is as wide as the vocabulary: it reads the hidden tokens alone.
        return {"mlm": self.masked.cls(states[batch["chosen"]]), **logits}


def pretraining_losses(model: Any, batch: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Returns the cross entropy of the hidden tokens, and of each head's labelled texts.

    Args:
        model: A `Pretraining`, perhaps wrapped for several devices.
        batch: As its `forward` takes it, with "labels" (chosen,) and "classes": head -> (batch,),
            IGNORED where nothing is known.
    """
    outputs = model(batch)
    losses = {"mlm": torch.nn.functional.cross_entropy(outputs["mlm"].float(), batch["labels"])}
    for name, classes in batch["classes"].items():
        summed = torch.nn.functional.cross_entropy(
            outputs[name].float(), classes, ignore_index=IGNORED, reduction="sum"
        )
        losses[name] = summed / (classes != IGNORED).sum().clamp(min=1)
    return losses


def continued(encoder: Any, *, max_tokens: int, buckets: int) -> Any:
    """Returns a masked language model that goes on from an encoder of BERT's kind.

    Args:
        encoder: With or without a table of bigrams.
        max_tokens: Places of the new one, at least those of the old: further ones begin as copies.
        buckets: Of the table of bigrams: the encoder's own goes on, one that it has not begins
            without effect; 0 for none.

    Raises:
        ValueError: The encoder has a table of another size.
    """
    config: Any = encoder.config.__class__.from_dict(encoder.config.to_dict())
    config.max_position_embeddings = max_tokens
    known_buckets = int(getattr(config, BUCKETS, 0))
    if known_buckets not in (0, buckets):
        raise ValueError(f"the encoder has {known_buckets} buckets of bigrams, not {buckets}")
    if buckets:
        setattr(config, BUCKETS, buckets)
    model: Any = BertForMaskedLM(config)
    fit_bigrams(model.base_model)
    state: dict[str, torch.Tensor] = encoder.state_dict()
    places = "embeddings.position_embeddings.weight"
    known = state[places]
    # The first places hold [CLS] and beginnings of texts: the later half is like what follows.
    later = known[len(known) // 2 :]
    missing = max_tokens - len(known)
    copies = later.repeat(-(-missing // len(later)), 1)[:missing]
    given = {
        name: torch.cat([known, copies]) if name == places else item
        for name, item in state.items()
        if not name.startswith("pooler.") and "_ids" not in name
    }
    if buckets and not known_buckets:
        table: BigramEmbedding = model.get_input_embeddings()
        torch.nn.init.zeros_(table.project.weight)
        own: Any = model.base_model.state_dict()
        given |= {name: item for name, item in own.items() if name not in given}
    model.base_model.load_state_dict(given)
    model.tie_weights()
    return model


def without_dropout(model: torch.nn.Module) -> None:
    """Takes the dropout out of a model that sees each text but a few times."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0

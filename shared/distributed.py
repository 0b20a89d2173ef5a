"""One training in several processes, as `torchrun` and `accelerate launch` start them.

Each process reads its own share of the data; gradients are averaged, so that all hold the same
weights throughout. Without such a launcher there is one process, and nothing here costs anything.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes of a training, seen from one of them."""

    rank: int
    """Number of this one, from 0."""
    count: int

    @property
    def device(self) -> torch.device:
        """Where this one computes: a GPU of its own where there are any."""
        import torch

        if torch.cuda.is_available():
            return torch.device(f"cuda:{os.environ.get('LOCAL_RANK', '0')}")
        return torch.device("cpu")

    @property
    def main(self) -> bool:
        """Whether this is the one that writes and talks."""
        return self.rank == 0

    def wrap(self, module: torch.nn.Module) -> torch.nn.Module:
        """Returns the module, on the device, with its gradients averaged over all processes.

        It begins with the weights of process 0.
        """
        module = module.to(self.device)
        if self.count == 1:
            return module
        from torch.nn.parallel import DistributedDataParallel

        return DistributedDataParallel(module)

    def sum(self, values: Sequence[float]) -> list[float]:
        """Returns the sums over all processes, number by number."""
        return self._reduce(values, "SUM")

    def max(self, values: Sequence[float]) -> list[float]:
        """Returns the largest of all processes, number by number."""
        return self._reduce(values, "MAX")

    def gather(self, value: Any) -> list[Any]:
        """Returns every process's value in process 0, in their order; elsewhere an empty list."""
        if self.count == 1:
            return [value]
        found: list[Any] | None = [None] * self.count if self.main else None
        _library().gather_object(value, found)
        return found or []

    def agree(self, value: Any) -> Any:
        """Returns the value of process 0 in all of them."""
        if self.count == 1:
            return value
        held = [value]
        _library().broadcast_object_list(held)
        return held[0]

    def _reduce(self, values: Sequence[float], how: str) -> list[float]:
        if self.count == 1:
            return [*values]
        import torch

        held: Any = torch.tensor(values, dtype=torch.float64, device=self.device)
        library = _library()
        library.all_reduce(held, op=getattr(library.ReduceOp, how))
        return [float(value) for value in held]


@contextmanager
def joined() -> Generator[Processes]:
    """Joins the other processes that the launcher started, and leaves them at the end.

    NCCL where each has a GPU, gloo on processors.
    """
    processes = Processes(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))
    if processes.count == 1:
        yield processes
        return
    import torch

    cuda = torch.cuda.is_available()
    library = _library()
    library.init_process_group("nccl" if cuda else "gloo")
    try:
        if cuda:
            torch.cuda.set_device(processes.device)
        yield processes
    finally:
        library.destroy_process_group()


def _library() -> Any:
    """torch.distributed, which is typed in part only; imported where it is needed, being slow."""
    from torch import distributed

    return distributed

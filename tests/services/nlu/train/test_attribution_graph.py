"""Integrated gradients as a graph, beside captum's of the same model."""

import asyncio
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="exporting needs the extra `models`")

from services.nlu.learnt.attribution import WHOLE, integrate  # noqa: E402
from services.nlu.train.attribution_graph import SlopeGraph, traced  # noqa: E402
from services.nlu.train.examples import TaskKind  # noqa: E402
from services.nlu.train.model import HeadSpec, ModelSpec, QueryModel  # noqa: E402

CLS, SEP, MASK = 1, 2, 3


@pytest.fixture(scope="module")
def model() -> QueryModel:
    """A tiny BERT with a head of pairs, by chance but far from linear."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(3)
    config = transformers.BertConfig(
        vocab_size=40,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        initializer_range=0.3,
        attn_implementation="eager",
    )
    spec = ModelSpec(
        encoder=config.to_dict(),
        heads=(HeadSpec(name="match", kind=TaskKind.CLASSES, labels=("match",), divider=SEP),),
        word_places=True,
    )
    made = QueryModel(spec, transformers.BertModel(config, add_pooling_layer=False))
    torch.nn.init.normal_(made.heads["match"].linear.weight)
    return made.eval()


def row(left: list[int], right: list[int], length: int) -> tuple[Any, Any]:
    ids = [CLS, *left, SEP, *right, SEP]
    kinds = [0] * (len(left) + 2) + [1] * (len(right) + 1)
    rest = [0] * (length - len(ids))
    return torch.tensor(ids + rest), torch.tensor(kinds + rest)


def batch(*rows: tuple[Any, Any]) -> tuple[Any, Any]:
    return torch.stack([ids for ids, _ in rows]), torch.stack([kinds for _, kinds in rows])


def attributed(model: QueryModel, ids: Any, kinds: Any, steps: int) -> tuple[Any, float, Any]:
    """One pair, by the graph in torch."""
    graph = SlopeGraph(model, mask_id=MASK)

    async def run(*rows: Any) -> tuple[Any, Any]:
        slopes, logits = graph(*(torch.from_numpy(each) for each in rows))
        return slopes.detach().double().numpy()[..., 0], logits.detach().double().numpy()[:, 0]

    given = (each.numpy().astype(np.int32) for each in (ids, kinds))
    return asyncio.run(integrate(run, *given, steps=steps))


def gaps(model: QueryModel, steps: int) -> np.ndarray:
    found = []
    for ids, kinds in zip(*PAIRS, strict=True):
        values, logit, without = attributed(model, ids, kinds, steps)
        for side in (0, 1):
            found.append(values[kinds.numpy() == side].sum() - (logit - without[side]))
    return np.abs(found)


PAIRS = batch(row([5, 6], [5, 9, 6], 8), row([7], [12, 13], 8), row([20, 21], [30, 21], 8))


def test_attributions_sum_to_score_minus_baseline(model: QueryModel) -> None:
    fine, coarse = gaps(model, 96), gaps(model, 3)
    assert fine.max() < 0.05
    assert fine.mean() < coarse.mean()


def test_they_are_those_of_captum(model: QueryModel) -> None:
    captum = pytest.importorskip("captum.attr")
    ids, kinds = (each[:1] for each in PAIRS)
    ours = torch.from_numpy(attributed(model, ids[0], kinds[0], 128)[0]).float()
    table = model.encoder.get_input_embeddings().weight.detach()
    embedded = table[ids]
    words = ((ids != CLS) & (ids != SEP) & (ids != 0)).unsqueeze(-1)
    mask = (ids != 0).long()

    def score(given: Any) -> Any:
        count = len(given)
        states = model.encoder(
            inputs_embeds=given,
            attention_mask=mask.expand(count, -1),
            token_type_ids=kinds.expand(count, -1),
        ).last_hidden_state
        from services.nlu.train.model import Read

        read = Read(ids.expand(count, -1), mask.expand(count, -1).unsqueeze(-1).float(), None)
        return model.heads["match"](states, read)[:, 0]

    for side in (0, 1):
        chosen = words & (kinds == side).unsqueeze(-1)
        baseline = torch.where(chosen, table[MASK], embedded)
        theirs = captum.IntegratedGradients(score).attribute(
            embedded, baseline, n_steps=512, method="riemann_middle"
        )
        expected = theirs.detach().sum(-1)[0]
        own = torch.where(kinds[0] == side, ours, torch.zeros_like(ours))
        torch.testing.assert_close(own, expected.float(), atol=0.03, rtol=0.03)


def test_what_stands_for_the_row_is_not_attributed_and_padding_changes_nothing(
    model: QueryModel,
) -> None:
    ids, kinds = PAIRS
    values, logit, _ = attributed(model, ids[1], kinds[1], 4)
    still = (ids[1] == CLS) | (ids[1] == SEP) | (ids[1] == 0)
    assert ids[1, 6] == 0
    assert (values[still.numpy()] == 0).all()
    alone, same, _ = attributed(model, ids[1, :6], kinds[1, :6], 4)
    assert values[:6] == pytest.approx(alone, abs=1e-4)
    with torch.no_grad():
        plain = model(ids, kinds, only=("match",))["match"][1, 0].item()
    assert logit == pytest.approx(same, abs=1e-4) == pytest.approx(plain, abs=1e-3)


def test_the_trace_is_the_same_function_for_other_shapes(model: QueryModel) -> None:
    graph = SlopeGraph(model, mask_id=MASK)
    shares = torch.full_like(PAIRS[0], WHOLE // 2)
    made = traced(graph, tuple(each.to(torch.int32) for each in (*PAIRS, shares)))
    longer = batch(*[row([5, 6, 8], [9] * n, 16) for n in (2, 5, 7, 9)])
    some = torch.randint(0, WHOLE, longer[0].shape)
    for ours, theirs in zip(made(*longer, some), graph(*longer, some), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)

"""Integrated gradients as a graph, beside captum's of the same model."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="exporting needs the extra `models`")

from services.nlu.train.attribution_graph import AttributionGraph, traced  # noqa: E402
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


def gaps(graph: AttributionGraph, ids: Any, kinds: Any) -> np.ndarray:
    attributions, match, baselines = (item.detach().numpy() for item in graph(ids, kinds))
    text = kinds.numpy() == 1
    found = attributions[..., 0]
    of_query = (found * ~text).sum(1) - (match - baselines[:, :1])[:, 0]
    of_text = (found * text).sum(1) - (match - baselines[:, 1:])[:, 0]
    return np.abs(np.stack([of_query, of_text]))


PAIRS = batch(row([5, 6], [5, 9, 6], 8), row([7], [12, 13], 8), row([20, 21], [30, 21], 8))


def test_attributions_sum_to_score_minus_baseline(model: QueryModel) -> None:
    fine = gaps(AttributionGraph(model, mask_id=MASK, steps=96), *PAIRS)
    coarse = gaps(AttributionGraph(model, mask_id=MASK, steps=3), *PAIRS)
    assert fine.max() < 0.05
    assert fine.mean() < coarse.mean()


def test_they_are_those_of_captum(model: QueryModel) -> None:
    captum = pytest.importorskip("captum.attr")
    graph = AttributionGraph(model, mask_id=MASK, steps=128)
    ids, kinds = (each[:1] for each in PAIRS)
    ours = graph(ids, kinds)[0].detach()[0, :, 0]
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
    graph = AttributionGraph(model, mask_id=MASK, steps=4)
    ids, kinds = PAIRS
    attributions, match, _ = graph(ids, kinds)
    still = (ids == CLS) | (ids == SEP) | (ids == 0)
    assert (attributions[..., 0][still] == 0).all()
    assert ids[1, 6] == 0
    alone = graph(ids[1:2, :6], kinds[1:2, :6])
    torch.testing.assert_close(alone[0][0], attributions[1, :6], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(alone[1][0], match[1], atol=1e-4, rtol=1e-4)
    with torch.no_grad():
        plain = model(ids, kinds, only=("match",))["match"]
    torch.testing.assert_close(plain, match.detach(), atol=1e-3, rtol=1e-3)


def test_the_trace_is_the_same_function_for_other_shapes(model: QueryModel) -> None:
    graph = AttributionGraph(model, mask_id=MASK, steps=2)
    made = traced(graph, tuple(each.to(torch.int32) for each in PAIRS))
    longer = batch(*[row([5, 6, 8], [9] * n, 16) for n in (2, 5, 7, 9)])
    for ours, theirs in zip(made(*longer), graph(*longer), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)

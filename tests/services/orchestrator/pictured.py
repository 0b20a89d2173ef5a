"""A shop whose products have pictures: real retrieval and ranking, the NLU over a tiny encoder."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import pytest

from services.nlu.pictures import opening
from services.nlu.server import NluService
from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.config import Settings as RankingSettings
from services.ranking.server import RankingServer
from shared.server import start_server
from tests.services.nlu.hash_encoder import HashEncoder, settings_of
from tests.services.nlu.pictures.files import ColourEncoder
from tests.services.orchestrator.real_retrieval import serve_with_retrieval
from wherefore.common.v1.product_pb2 import Image, Price, Product
from wherefore.orchestrator.v1 import product_service_pb2 as products_pb
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub

_NONE: Mapping[str, bytes] = MappingProxyType({})


def product(name: str, uri: str = "", title: str = "Cup", colour: str = "") -> Product:
    made = Product(
        id=name,
        titles={"en": f"{title} {name}"},
        price=Price(currency_code="EUR", amount=1),
        images=[Image(uri=uri)] if uri else [],
    )
    if colour:
        made.attributes["colour"].texts.append(colour)
    return made


def imports(shop: SimpleNamespace, *products: Product, pictures: Mapping[str, bytes] = _NONE):
    """The answers to an import of products with pictures by their uris."""
    sent = [products_pb.ImportedPicture(uri=uri, data=data) for uri, data in pictures.items()]
    request = products_pb.ProductServiceImportRequest(products=products, pictures=sent)
    return ProductServiceStub(shop.channel).Import(iter([request]), timeout=20)


@asynccontextmanager
async def pictured_shop(
    folder: Path, encoder: ColourEncoder, products: Sequence[Product], **fields: object
) -> AsyncIterator[SimpleNamespace]:
    """An orchestrator with products that were imported; `first` is the last answer of that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "open_dual_encoder", lambda *_: encoder)
        settings = settings_of()
        nlu = await start_server(NluService(settings, HashEncoder()), settings)
        ranks = RankingSettings(
            port=0,
            metrics_port=0,
            lame_duck_seconds=0,
            weights_path=fields.pop("weights_path", DEFAULT_WEIGHTS),  # type: ignore[arg-type]
        )
        ranking = await start_server(RankingServer(ranks), ranks)
        await nlu.wait_ready()
        await ranking.wait_ready()
        async with serve_with_retrieval(
            folder,
            [],
            nlu_target=f"127.0.0.1:{nlu.port}",
            ranking_target=f"127.0.0.1:{ranking.port}",
            picture_dimension=ColourEncoder.dimension,
            vector_dimension=HashEncoder.dimension,
            **fields,
        ) as running:
            running.first = [each async for each in imports(running, *products)][-1]
            running.ranking = ranking
            yield running
        await ranking.stop()
        await nlu.stop()

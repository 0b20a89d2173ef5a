"""A fake of the service that reads texts."""
# ruff: noqa: N802 - servicers are named by the contract

from shared.errors import UnavailableError
from tests.shared.cli.failing import fail
from wherefore.common.v1 import vector_pb2
from wherefore.nlu.v1 import (
    nlu_service_pb2,
    nlu_service_pb2_grpc,
    query_understanding_pb2,
    text_analysis_pb2,
)


class FakeNlu(nlu_service_pb2_grpc.NluServiceServicer):
    """The part of `FakeSuite`, whose fields it reads, that reads texts."""

    def Parse(self, request, context):
        self.requests.append(request)
        return nlu_service_pb2.ParseResponse(understanding=self.understand(request.query))

    def Analyse(self, request, context):
        """Reads "good" and "bad" as moods, and every "mug" as a product type."""
        self.requests.append(request)
        if "down" in request.texts:
            fail(context, UnavailableError("the model does not answer"))
        pb = query_understanding_pb2
        moods = {"good": pb.SENTIMENT_LABEL_POSITIVE, "bad": pb.SENTIMENT_LABEL_NEGATIVE}
        return nlu_service_pb2.AnalyseResponse(
            analyses=[
                text_analysis_pb2.TextAnalysis(
                    model="query_test@1",
                    entities=[
                        pb.Entity(type=pb.ENTITY_TYPE_PRODUCT_TYPE, start=at, end=at + 3)
                        for at in range(len(text))
                        if text.startswith("mug", at)
                    ],
                    sentiment=pb.Sentiment(label=moods[text]) if text in moods else None,
                )
                for text in request.texts
            ]
        )

    def understand(self, query):
        pb = query_understanding_pb2
        return pb.QueryUnderstanding(
            query=query,
            search_text="phone",
            language_code="en",
            language_confidence=0.98,
            intent=pb.Intent(type=pb.INTENT_TYPE_PRODUCT_SEARCH, confidence=0.9),
            entities=[
                pb.Entity(type=pb.ENTITY_TYPE_COLOUR, text="黑色", normalized="black", negated=True)
            ],
            constraints=[
                pb.Constraint(field="price", range=pb.NumberRange(max=500, unit="EUR"), hard=True),
                pb.Constraint(field="colour", none_of=pb.ValueSet(values=["black"])),
            ],
            corrections=[pb.Correction(original="samsnug", corrected="samsung", applied=True)],
            vector=vector_pb2.Vector(values=[1.0]),
            tokens=[pb.Token(text="phones", normalized="phone"), pb.Token(text="the")],
        )

"""What the NLU takes from retrieval's description of the catalogue."""

from services.nlu.catalogue_watch import to_terms
from wherefore.retrieval.v1.retrieval_service_pb2 import StatsResponse, TermCount


def test_words_and_their_neighbours_come_folded() -> None:
    terms = to_terms(
        StatsResponse(
            vocabulary=[TermCount(term="Laser", count=4), TermCount(term="laser", count=1)],
            word_pairs=[TermCount(term="Laser Printer", count=3)],
        )
    )
    assert terms.vocabulary == {"laser": 5}
    assert terms.word_pairs == {"laser printer": 3}

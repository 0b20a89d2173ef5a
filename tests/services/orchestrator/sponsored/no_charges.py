"""What charges clicks where there are no campaigns."""

from pathlib import Path

from services.orchestrator.sponsored.charges import ClickCharger
from services.orchestrator.sponsored.ledger import Ledger
from services.orchestrator.sponsored.offers import OfferSeal
from services.orchestrator.sponsored.seller import Seller
from services.orchestrator.sponsored.settings import SponsoredSettings


def no_charges(folder: Path) -> ClickCharger:
    ledger = Ledger(folder / "sponsored.sqlite")
    return ClickCharger(Seller(SponsoredSettings(), ledger).book, ledger, OfferSeal([b"k" * 32]))

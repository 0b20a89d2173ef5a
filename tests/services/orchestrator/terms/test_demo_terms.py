"""The made-up accounts of the demo page, over the bundled catalogue."""

import yaml

from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.terms.book import read_terms
from services.orchestrator.terms.contract import Source
from services.orchestrator.terms.settings import DEMO_FILE, TermsSettings
from services.orchestrator.terms.terms_file import TermsFile
from shared.catalogue import bundled_catalogue_path, read_catalogue


def test_they_are_off_and_a_shops_own_file_goes_before_them(tmp_path) -> None:
    assert OrchestratorSettings().terms.file is None
    assert TermsSettings(demo=True).file == DEMO_FILE
    own = tmp_path / "terms.yaml"
    assert TermsSettings(demo=True, file=own).file == own


def test_their_terms_are_about_products_of_the_bundled_catalogue() -> None:
    rows = [row.product for row in read_catalogue(bundled_catalogue_path()) if row.product]
    products = {product.id: product for product in rows}
    file = TermsFile.model_validate(yaml.safe_load(DEMO_FILE.read_text(encoding="utf-8")))
    assert {product.price.currency_code for product in products.values()} == {file.currency}
    terms = read_terms(DEMO_FILE)
    assert list(terms.accounts) == [account.id for account in file.accounts]
    for party in file.parties:
        contract = terms.contracts[party.id]
        for row in party.prices:
            offer = contract.offer(products[row.product])
            assert offer.source is Source.CONTRACT
            assert offer.amount is not None
            assert offer.amount < products[row.product].price.amount
        for discount in party.discounts:
            found = [p for p in products.values() if contract.offer(p).source is Source.DISCOUNT]
            assert found
            if discount.category:
                level = discount.category.split(" > ")[-1]
                assert any(level in product.category_path for product in found)

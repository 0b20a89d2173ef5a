// Words of accounts in English.
export default {
  accountLabel: "Look as",
  accountNone: "everybody",
  yourPrice: "Your price",
  listPrice: "List price: ",
  inCatalogue: "List price",
  priceSources: { LIST: "list price", DISCOUNT: "your discount", CONTRACT: "contract price" },
  breaks: "Prices of larger quantities",
  fromQuantity: (quantity) => `from ${quantity}`,
  packsOf: (step) => `in packs of ${step}`,
  atLeast: (least) => `at least ${least}`,
  priceTitle: "Why this price?",
  priceWhy: {
    LIST: "No terms of the account are about it: it costs what it costs everybody.",
    DISCOUNT: (party, own) => (own ? `A discount that was agreed with ${party}.` : `A discount of the group ${party}.`),
    CONTRACT: (party, own) => (own ? `A price that was agreed with ${party} for this product.` : `A price that was agreed with the group ${party} for this product.`),
  },
};

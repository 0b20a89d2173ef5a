// 账户的中文用词。
export default {
  accountLabel: "身份",
  accountNone: "普通访客",
  yourPrice: "你的价格",
  listPrice: "目录价：",
  inCatalogue: "目录价",
  priceSources: { LIST: "目录价", DISCOUNT: "账户折扣", CONTRACT: "合同价" },
  breaks: "批量价格",
  fromQuantity: (quantity) => `满 ${quantity} 件`,
  packsOf: (step) => `每包 ${step} 件`,
  atLeast: (least) => `${least} 件起订`,
  priceTitle: "为什么是这个价格？",
  priceWhy: {
    LIST: "账户条款没有涉及这件商品，价格与所有人相同。",
    DISCOUNT: (party, own) => (own ? `与 ${party} 约定的折扣。` : `${party} 组的折扣。`),
    CONTRACT: (party, own) => (own ? `与 ${party} 为这件商品约定的价格。` : `与 ${party} 组为这件商品约定的价格。`),
  },
};

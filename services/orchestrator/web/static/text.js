// The page's own words, in both languages. Reasons come from the service in theirs.
const WORDS = {
  en: {
    skip: "Skip to results", tabSearch: "Search", tabForYou: "For you", searchLabel: "What are you looking for?", placeholder: "Search in English or Chinese…", go: "Search", more: "Show more", other: "中文",
    orders: { "": "Best match", price: "Price, low first", "price desc": "Price, high first", "rating desc": "Best rated", "release_time desc": "Newest" },
    found: (n, t, ms) => `${t > 0 ? `${t.toLocaleString("en")} products meet the conditions` : `${n} products`} · ${ms} ms`, none: "Nothing was found. Try fewer or other words.", searching: "Searching…",
    popular: "Popular now. Look at, cart or buy something and this page changes at once.", foryou: "Chosen from what you just did.",
    match: (p) => `${p}% match`, view: "View", cart: "Cart", buy: "Buy", why: "Why?", noted: { VIEW: "Noted: you looked at it", CART: "Noted: in the cart", PURCHASE: "Noted: bought" }, out: "Out of stock",
    whyTitle: "Why is it here?", close: "Close", legs: "Found by", contributions: "What moved its score", timings: "Where the time went", understood: "How the query was read", conditions: "Conditions", entities: "Things named", didYouMean: "Did you mean", corrected: "Searched for", intent: "Intent", language: "Language", rankIn: (l, r) => `${l} · place ${r}`, noContrib: "The ranking told nothing.", details: "How this was found",
    relaxed: "Nothing met every condition, so these were given up:", degraded: "Some parts did not answer, so this page is poorer:", evidence: "What supports it", error: "That did not work: ",
    stages: { nlu: "the query was searched as plain words", "nlu.embedding": "meaning was left out, only words were compared", ranking: "products stand in the order they were found", reason: "reasons are missing", profile: "your history was left out", "retrieval.dense": "meaning was left out", popularity: "only the shop's own statistics were used" },
  },
  zh: {
    skip: "跳到结果", tabSearch: "搜索", tabForYou: "为你推荐", searchLabel: "想找什么?", placeholder: "用中文或英文搜索…", go: "搜索", more: "更多结果", other: "English",
    orders: { "": "综合排序", price: "价格从低到高", "price desc": "价格从高到低", "rating desc": "评分最高", "release_time desc": "最新上架" },
    found: (n, t, ms) => `${t > 0 ? `${t.toLocaleString("zh")} 件商品符合条件` : `${n} 件商品`} · ${ms} 毫秒`, none: "没有找到,请换个说法试试。", searching: "正在搜索…",
    popular: "大家都在看。浏览、加购或购买后,这里会立即变化。", foryou: "根据你刚才的行为推荐。",
    match: (p) => `匹配 ${p}%`, view: "浏览", cart: "加购", buy: "购买", why: "为什么?", noted: { VIEW: "已记录:浏览", CART: "已记录:加入购物车", PURCHASE: "已记录:购买" }, out: "缺货",
    whyTitle: "为什么推荐它?", close: "关闭", legs: "召回来源", contributions: "得分构成", timings: "耗时", understood: "查询理解", conditions: "条件", entities: "识别内容", didYouMean: "你是不是要找", corrected: "已按此搜索", intent: "意图", language: "语言", rankIn: (l, r) => `${l} · 第 ${r} 位`, noContrib: "排序服务没有给出构成。", details: "查找过程",
    relaxed: "没有商品满足全部条件,已放宽:", degraded: "部分服务没有响应,本页内容有所简化:", evidence: "依据", error: "出错了:",
    stages: { nlu: "仅按关键词搜索", "nlu.embedding": "仅比较文字,未比较语义", ranking: "按召回顺序排列", reason: "暂无推荐理由", profile: "未使用你的历史", "retrieval.dense": "未比较语义", popularity: "仅使用店铺统计" },
  },
};
let language = localStorage.getItem("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
export const current = () => language;
export const t = (key) => WORDS[language][key];
export function setLanguage(code) { language = code; localStorage.setItem("language", code); }
export const EXAMPLES = ["wireless headphones under 200", "送女朋友的生日礼物", "red dress for women", "200元以下的耳机", "backpack not black", "4-6寸 生日蛋糕", "保温杯", "gift for a ten-year-old"];

"""The named configurations of recommendations: what each starts from and who steps in for it."""

from typing import Final

from wherefore.recommend.v1 import recommend_service_pb2 as pb

FOR_YOU: Final = "for-you"
SIMILAR: Final = "similar"
POPULAR: Final = "popular"
BOUGHT_TOGETHER: Final = "frequently-bought-together"
ALSO_LIKE: Final = "you-may-also-like"
COMPLEMENTS: Final = "complements"
UP_SELL: Final = "up-sell"
BUY_AGAIN: Final = "buy-again"
REORDER: Final = "reorder"

STRATEGIES: "Final[dict[str, pb.Strategy.ValueType]]" = {
    BOUGHT_TOGETHER: pb.STRATEGY_BOUGHT_TOGETHER,
    ALSO_LIKE: pb.STRATEGY_ALSO_LIKED,
    COMPLEMENTS: pb.STRATEGY_COMPLEMENTS,
    UP_SELL: pb.STRATEGY_UP_SELL,
    BUY_AGAIN: pb.STRATEGY_BUY_AGAIN,
    REORDER: pb.STRATEGY_REORDER,
}
"""Those that the recommendation service answers, and by what."""
SERVING_CONFIGS: Final = (FOR_YOU, SIMILAR, POPULAR, *STRATEGIES)
FROM_PRODUCTS: Final = (SIMILAR, BOUGHT_TOGETHER, ALSO_LIKE, COMPLEMENTS, UP_SELL)
OF_THE_PAST: Final = (BUY_AGAIN, REORDER)
"""Those that are made of what was bought, and mean nothing without a user or an account."""
STEPS_IN: Final = {
    BOUGHT_TOGETHER: COMPLEMENTS,
    COMPLEMENTS: SIMILAR,
    UP_SELL: SIMILAR,
    ALSO_LIKE: SIMILAR,
    REORDER: BUY_AGAIN,
    BUY_AGAIN: FOR_YOU,
    FOR_YOU: POPULAR,
}
"""Which one answers when another finds nothing."""

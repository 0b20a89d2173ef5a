"""Which role may call which method: the one table, checked against the contracts by a test.

A method without a row is refused to everybody.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a caller may be."""

    SHOPPER = "shopper"
    """A page of the shop: a key that sits in a browser or an app."""
    SHOP = "shop"
    """The shop's back end."""
    CATALOGUE = "catalogue"
    """Who writes the catalogue."""
    PRIVACY = "privacy"
    """Who answers users' requests about their data, and reads private aggregates."""
    OPERATOR = "operator"
    """Who runs the suite: all methods, of the inner services too."""
    # One for each service, given by its certificate alone.
    ORCHESTRATOR = "service.orchestrator"
    NLU = "service.nlu"
    RETRIEVAL = "service.retrieval"
    RANKING = "service.ranking"
    REASON = "service.reason"
    RECOMMEND = "service.recommend"
    ASSISTANT = "service.assistant"
    INSIGHT = "service.insight"


GRANTABLE: Final = frozenset({Role.SHOPPER, Role.SHOP, Role.CATALOGUE, Role.PRIVACY, Role.OPERATOR})
"""Roles that a key or a token may give."""
SERVICES: Final = frozenset(Role) - GRANTABLE
CROSS_TENANT: Final = SERVICES | {Role.OPERATOR}
"""Roles whose caller may name the tenant it acts for, unless its credential is for one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call a method, and whether the call is written into the audit log."""

    roles: frozenset[Role]
    audited: bool = False


def _rule(*roles: Role, audited: bool = False) -> Rule:
    return Rule(frozenset({*roles, Role.OPERATOR}), audited)


_PAGES: Final = _rule(Role.SHOPPER, Role.SHOP)
_SHOP: Final = _rule(Role.SHOP)
# The orchestrator's demo page calls the applications for its visitors, whom its door lets in.
_CHAT: Final = _rule(Role.SHOPPER, Role.SHOP, Role.ORCHESTRATOR)
_TAUGHT: Final = _rule(Role.SHOP, Role.ORCHESTRATOR, audited=True)
_WATCHED: Final = _rule(Role.SHOP, Role.ORCHESTRATOR)
_WRITE: Final = _rule(Role.CATALOGUE, audited=True)
_PERSONAL: Final = _rule(Role.PRIVACY, audited=True)
# The orchestrator asks it of the applications for those who ask the same of the suite.
_PASSED_ON: Final = _rule(Role.PRIVACY, Role.ORCHESTRATOR, audited=True)
_READ: Final = _rule(Role.CATALOGUE, Role.SHOP)
_INNER: Final = _rule(Role.ORCHESTRATOR)
_ASKED: Final = _rule(Role.ORCHESTRATOR, Role.ASSISTANT)
_EDGE: Final = "/wherefore.orchestrator.v1."
_RETRIEVAL: Final = "/wherefore.retrieval.v1.RetrievalService/"
_NLU: Final = "/wherefore.nlu.v1.NluService/"
_PICTURES: Final = "/wherefore.nlu.v1.PictureService/"
_REASON: Final = "/wherefore.reason.v1."
_ASSISTANT: Final = "/wherefore.assistant.v1.AssistantService/"
_INSIGHT: Final = "/wherefore.insight.v1.InsightService/"

RULES: Final[dict[str, Rule]] = {
    f"{_EDGE}SearchService/Search": _PAGES,
    f"{_EDGE}SearchService/SearchStream": _PAGES,
    f"{_EDGE}CompletionService/Complete": _PAGES,
    f"{_EDGE}RecommendationService/Recommend": _PAGES,
    f"{_EDGE}UserEventService/Write": _PAGES,
    f"{_EDGE}SummaryService/Summarise": _PAGES,
    f"{_EDGE}ExplanationService/Explain": _SHOP,
    f"{_EDGE}UserEventService/Import": _rule(Role.SHOP, audited=True),
    f"{_EDGE}UserEventService/ImportWithProgress": _rule(Role.SHOP, audited=True),
    f"{_EDGE}UserDataService/PurgeUser": _PERSONAL,
    f"{_EDGE}UserDataService/ExportUser": _PERSONAL,
    f"{_EDGE}UserDataService/SetConsent": _rule(Role.SHOP, Role.PRIVACY, audited=True),
    f"{_EDGE}ExperimentService/Report": _SHOP,
    f"{_EDGE}AggregateService/Aggregate": _PERSONAL,
    f"{_EDGE}AggregateService/GetBudget": _rule(Role.PRIVACY),
    f"{_EDGE}ProductService/Get": _READ,
    f"{_EDGE}ProductService/List": _READ,
    f"{_EDGE}ProductService/Import": _WRITE,
    f"{_EDGE}ProductService/Update": _WRITE,
    f"{_EDGE}ProductService/Delete": _WRITE,
    f"{_EDGE}EventLogService/Follow": _rule(Role.RECOMMEND, Role.RANKING, audited=True),
    f"{_ASSISTANT}Ask": _PAGES,
    f"{_ASSISTANT}Converse": _CHAT,
    f"{_ASSISTANT}EndConversation": _CHAT,
    f"{_ASSISTANT}ImportDialogues": _rule(Role.SHOP, audited=True),
    f"{_ASSISTANT}RecordAnswer": _TAUGHT,
    "/wherefore.assistant.v1.LearntService/ListLearnt": _SHOP,
    "/wherefore.assistant.v1.LearntService/DeleteLearnt": _rule(Role.SHOP, audited=True),
    "/wherefore.assistant.v1.UserDataService/EraseUser": _PASSED_ON,
    "/wherefore.assistant.v1.UserDataService/ExportUser": _PASSED_ON,
    f"{_INSIGHT}Ingest": _TAUGHT,
    f"{_INSIGHT}QueryAggregates": _WATCHED,
    f"{_INSIGHT}GetTrend": _WATCHED,
    f"{_INSIGHT}ListAlerts": _WATCHED,
    f"{_INSIGHT}SubscribeAlerts": _WATCHED,
    f"{_INSIGHT}DescribeDomain": _WATCHED,
    "/wherefore.insight.v1.TextService/EraseTexts": _PASSED_ON,
    "/wherefore.insight.v1.TextService/ExportTexts": _PASSED_ON,
    f"{_NLU}Parse": _ASKED,
    f"{_NLU}ParseBatch": _ASKED,
    f"{_NLU}Match": _INNER,
    f"{_NLU}AttributeMatch": _INNER,
    f"{_NLU}Embed": _rule(Role.ORCHESTRATOR, Role.REASON, Role.ASSISTANT),
    f"{_NLU}Analyse": _INNER,
    f"{_PICTURES}EmbedPictures": _INNER,
    f"{_PICTURES}EmbedTexts": _INNER,
    f"{_PICTURES}ComposeQuery": _INNER,
    f"{_RETRIEVAL}Index": _INNER,
    f"{_RETRIEVAL}Delete": _INNER,
    f"{_RETRIEVAL}Retrieve": _ASKED,
    f"{_RETRIEVAL}Similar": _INNER,
    f"{_RETRIEVAL}Facets": _INNER,
    f"{_RETRIEVAL}SelectProducts": _INNER,
    f"{_RETRIEVAL}GetProducts": _ASKED,
    f"{_RETRIEVAL}ListProducts": _rule(Role.ORCHESTRATOR, Role.RECOMMEND),
    f"{_RETRIEVAL}Stats": _rule(Role.ORCHESTRATOR, Role.RECOMMEND, Role.NLU),
    "/wherefore.retrieval.v1.IndexAdminService/Reindex": _rule(audited=True),
    "/wherefore.retrieval.v1.IndexAdminService/Snapshot": _rule(audited=True),
    "/wherefore.ranking.v1.RankingService/Rank": _INNER,
    "/wherefore.ranking.v1.RankingService/Explain": _INNER,
    f"{_REASON}ReasonService/Explain": _ASKED,
    f"{_REASON}ReasonService/ExplainStream": _INNER,
    f"{_REASON}ReasonService/Summarise": _ASKED,
    f"{_REASON}TagService/GenerateTags": _INNER,
    f"{_REASON}ClassificationService/ClassifyProducts": _INNER,
    "/wherefore.recommend.v1.RecommendService/Candidates": _INNER,
    "/wherefore.recommend.v1.RecommendService/Relate": _INNER,
}

OPEN_PREFIX: Final = "/grpc.health.v1.Health/"
"""Health is told to whoever may connect: balancers have no credentials, and it tells no more."""
REFLECTION_PREFIX: Final = "/grpc.reflection."
REFLECTION: Final = _rule(Role.SHOP, Role.CATALOGUE)
"""The contracts themselves are told to those who build against them, not to a key in a browser."""


def rule_of(method: str) -> Rule | None:
    """Returns the rule of a method ("/package.Service/Method"); None where there is none.

    Health has no rule: it does not come here.
    """
    if method.startswith(REFLECTION_PREFIX):
        return REFLECTION
    return RULES.get(method)

"""User events that say which answer they followed from, and can be sent twice without harm."""

from typing import TypeAlias

from wherefore.common.v1.user_event_pb2 import UserEvent, UserEventType
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendResponse
from wherefore.orchestrator.v1.search_service_pb2 import SearchResponse
from wherefore_client.connection import new_id

Answer: TypeAlias = SearchResponse | RecommendResponse


def event_after(
    answer: Answer,
    product_id: str,
    type: UserEventType.ValueType,  # noqa: A002 - as the field is called
    *,
    user: UserContext,
    quantity: int = 0,
    shown_before: int = 0,
) -> UserEvent:
    """Returns the event that a user did something with a product of an answer.

    It carries the answer's attribution token, the query, the product's place, the time and an id.

    Args:
        answer: The page on which the user met the product.
        product_id: The product.
        type: What was done, such as `UserEventType.USER_EVENT_TYPE_CLICK`.
        user: Who did it.
        quantity: Units, of a cart or purchase.
        shown_before: Results on the pages before this one.

    Raises:
        ValueError: The answer does not show the product, or nobody is named.
    """
    if not (user.user_id or user.session_id):
        raise ValueError("user: give user_id or session_id")
    shown = [result.product.id for result in answer.results]
    if product_id not in shown:
        raise ValueError(f'product_id: "{product_id}" is not among the results of the answer')
    event = UserEvent(
        id=new_id(),
        type=type,
        user_id=user.user_id,
        session_id=user.session_id,
        attribution_token=answer.attribution_token,
        query=answer.query.query if isinstance(answer, SearchResponse) else "",
    )
    position = shown_before + shown.index(product_id) + 1
    event.products.add(product_id=product_id, quantity=quantity, position=position)
    event.event_time.GetCurrentTime()
    return event


def with_id(event: UserEvent) -> UserEvent:
    """Returns the event with an id, by which a second one of it is known and dropped."""
    if event.id:
        return event
    identified = UserEvent(id=new_id())
    identified.MergeFrom(event)
    return identified

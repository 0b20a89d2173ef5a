"""What is counted of events in memory, over all users."""

from dataclasses import dataclass

from services.orchestrator.choices import QueryChoices
from services.orchestrator.completion.searches import SearchCounts
from services.orchestrator.popularity import Popularity
from wherefore.common.v1.user_event_pb2 import UserEvent


@dataclass(frozen=True, slots=True)
class EventCounts:
    """The counts, which are the same whatever the order of events."""

    popularity: Popularity
    searches: SearchCounts
    choices: QueryChoices

    def count(self, event: UserEvent) -> None:
        """Counts one event."""
        self.popularity.count(event)
        self.searches.count(event)
        self.choices.count(event)

    def uncount(self, event: UserEvent) -> None:
        """Takes back an event, as if it had never come."""
        self.popularity.uncount(event)
        self.searches.uncount(event)
        self.choices.uncount(event)

    def fresh(self) -> "EventCounts":
        """Returns counts of the same kind that have counted nothing."""
        return EventCounts(self.popularity.fresh(), self.searches.fresh(), self.choices.fresh())

    def become(self, other: "EventCounts") -> None:
        """Takes over what others have counted, instead of all that was counted here."""
        self.popularity.become(other.popularity)
        self.searches.become(other.searches)
        self.choices.become(other.choices)

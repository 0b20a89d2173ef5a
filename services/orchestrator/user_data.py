"""What users may ask about their own data: erasure, a copy of it, and refusal of uses of it."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from services.orchestrator.applications_data import ApplicationsData, ErasedElsewhere
from services.orchestrator.completion.completer import Completer
from services.orchestrator.event_store import EventStore, StoredEvent
from services.orchestrator.events import EventLog
from services.orchestrator.fallback import Degradations
from services.orchestrator.profile import ProfileReader
from services.orchestrator.purposes import ANALYTICS, mask_of, purposes_of, refuses
from shared.degradation import degradation
from shared.errors import WhereforeError
from shared.privacy.actors import session_of
from shared.timing import StageTimer
from wherefore.assistant.v1.learnt_service_pb2 import LearntExample
from wherefore.assistant.v1.user_data_service_pb2 import Conversation
from wherefore.common.v1.diagnostics_pb2 import DEGRADATION_CAUSE_UNAVAILABLE, Degradation
from wherefore.common.v1.user_event_pb2 import DataPurpose, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext, UserProfile
from wherefore.insight.v1.opinion_pb2 import Mention

PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased."""

    events: int
    sessions: int
    elsewhere: ErasedElsewhere


@dataclass(frozen=True, slots=True)
class ExportedPart:
    """A piece of what is held of a user; the first has the profile, the last what is missing."""

    events: list[UserEvent] = field(default_factory=list[UserEvent])
    profile: UserProfile | None = None
    refused: "Sequence[DataPurpose.ValueType]" = ()
    degraded: list[Degradation] = field(default_factory=list[Degradation])
    conversations: Sequence[Conversation] = ()
    learnt: Sequence[LearntExample] = ()
    texts: Sequence[Mention] = ()


class UserData:
    """Reaches every place that holds something of a user.

    Args:
        store: The log, which tells its followers in other services.
        log: What counts events in memory.
        completer: Completes with what users searched for.
        profiles: Made from the log.
        applications: Customer service and opinion monitoring.
        forget_pages: Drops what is kept of answers.
    """

    def __init__(
        self,
        store: EventStore,
        log: EventLog,
        completer: Completer,
        profiles: ProfileReader,
        applications: ApplicationsData,
        *,
        forget_pages: Callable[[], None],
    ) -> None:
        self._store = store
        self._log = log
        self._completer = completer
        self._profiles = profiles
        self._applications = applications
        self._forget_pages = forget_pages

    async def purge(self, user: UserContext) -> Erased:
        """Erases all that is held of a user; nothing is left of it here when it returns.

        The other services that hold something go first: once the events are gone, nobody knows
        which visits were the user's. Followers of the log are told at once; answers wait for them
        as for any event.

        Raises:
            UnavailableError: A service does not answer, and the events are as they were; or the
                log cannot be written: what was begun is done at the next start.
        """
        known = await self._store.holding(user)
        elsewhere = await self._applications.erase(user, _visits(known.actors))
        holding, gone = await self._store.erase(user)
        self._log.forget(holding.actors)
        await self._uncount(gone)
        sessions = sum(not subject.is_user for subject in holding.subjects)
        return Erased(len(gone), sessions, elsewhere)

    async def refuse(
        self, user: UserContext, purposes: "Sequence[DataPurpose.ValueType]"
    ) -> "list[DataPurpose.ValueType]":
        """Sets what a user refuses; what was counted for it is forgotten.

        Raises:
            UnavailableError: The log cannot be written.
        """
        mask = mask_of(purposes)
        holding, newly = await self._store.refuse(user, mask)
        counted = replace(
            holding, subjects=tuple(s for s in holding.subjects if refuses(newly[s.id], ANALYTICS))
        )
        self._log.forget(subject.actor for subject in counted.subjects)
        place = 0
        while page := await self._store.of(counted, place, PAGE):
            # As they were counted: before, only what they refuse themselves.
            await self._uncount(
                [replace(e, refused=mask_of(e.event.refused_purposes)) for e in page]
            )
            place = page[-1].sequence
        self._forget_pages()
        return purposes_of(mask)

    async def export(self, user: UserContext) -> AsyncIterator[ExportedPart]:
        """Yields all that is held of a user.

        Raises:
            UnavailableError: The log cannot be read.
        """
        holding = await self._store.holding(user)
        degradations = Degradations()
        profile = await self._profiles.read(user, "", StageTimer(), degradations)
        if profile is not None:
            profile.user_id = user.user_id  # not the pseudonym that other services know
        yield ExportedPart(profile=profile, refused=purposes_of(holding.refused))
        place = sent = 0
        while page := await self._store.of(holding, place, PAGE):
            yield ExportedPart([stored.event for stored in page])
            place, sent = page[-1].sequence, sent + len(page)
        try:
            async for said in self._applications.said(user, _visits(holding.actors)):
                yield ExportedPart(conversations=said.conversations, learnt=said.learnt)
        except WhereforeError as error:
            degradations.note("assistant", error, error.message)
        try:
            async for written in self._applications.written(user):
                yield ExportedPart(texts=written.texts)
        except WhereforeError as error:
            degradations.note("insight", error, error.message)
        missing = list(degradations)
        if (lost := await self._store.count(holding) - sent) > 0:
            missing.append(
                degradation(
                    "events",
                    DEGRADATION_CAUSE_UNAVAILABLE,
                    fallback="without them",
                    detail=f"{lost:,} events are damaged and cannot be read",
                )
            )
        yield ExportedPart(degraded=missing)

    async def _uncount(self, gone: Sequence[StoredEvent]) -> None:
        self._log.uncount(gone)
        self._forget_pages()
        await self._completer.refresh()


def _visits(actors: Iterable[str]) -> list[str]:
    return [session for actor in actors if (session := session_of(actor))]

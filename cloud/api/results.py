"""Windowed results: a page, everything, every change, or the newest."""

from collections.abc import AsyncGenerator, Sequence
from typing import Final

from cloud.api.followers import MAX_FOLLOWERS, Followers
from cloud.api.messages import latest_to_wire, result_to_wire
from cloud.api.pages import page_size
from cloud.api.tokens import ChangePlace, ResultPlace, Tokens
from cloud.catalog import Catalog, KnownPlan
from cloud.changes import Changes
from cloud.store.results import Place, Result, ResultQuery
from cloud.store.store import Store
from fogline.model.caller import Caller, Right
from fogline.model.clock import Clock
from fogline.model.errors import InvalidInput, NotFound, PageTokenExpired, ResumeTokenExpired, Unavailable
from fogline.service.callers import require
from fogline.v1 import api_pb2

FOLLOW_SECONDS: Final = 5.0
"""A follower looks again after so long even if nothing was said: another process may have written; and hears that
the server is there."""
MAX_MESSAGE_RESULTS: Final = 500
"""Results in one message."""
DEFAULT_WINDOWS: Final = 60
MAX_WINDOWS: Final = 500
DEFAULT_KEYS: Final = 10
MAX_KEYS: Final = 100
MAX_LATEST: Final = 10_000
"""Rows of the newest windows in one answer."""


class Results:
    """Windowed results."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        changes: Changes,
        clock: Clock,
        *,
        most_followers: int = MAX_FOLLOWERS,
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._changes = changes
        self._clock = clock
        self.followers: Final = Followers(most_followers)

    def end_streams(self) -> None:
        """Shutdown: let go of the followers, who will follow on elsewhere."""
        self._changes.end()

    async def all(
        self, caller: Caller, request: api_pb2.GetResultsRequest
    ) -> AsyncGenerator[api_pb2.GetResultsResponse, None]:
        """Results in the order of windows. Raises :class:`NotFound` for a pipeline or step that is not there."""
        require(caller, Right.READ)
        query = self._query(caller, request, limit=MAX_MESSAGE_RESULTS)
        place: Place | None = None
        while True:
            page = await self._store.results(query, place)
            if not page.results:
                return
            place = page.last
            yield api_pb2.GetResultsResponse(results=await self._to_wire(query, page.results))

    async def follow(
        self, caller: Caller, request: api_pb2.GetResultsRequest
    ) -> AsyncGenerator[api_pb2.GetResultsResponse, None]:
        """Every change, in the order of changes; an answer without results at once, and when there was nothing to
        say for some seconds.

        Raises :class:`NotFound`, :class:`ResumeTokenExpired`, :class:`fogline.model.errors.TooManyFollowers`,
        and :class:`Unavailable` when the server stops.
        """
        require(caller, Right.READ)
        query = self._query(caller, request, limit=MAX_MESSAGE_RESULTS)
        tokens = self._tokens(query, ResumeTokenExpired)
        after = tokens.open(request.resume_token, ChangePlace).change if request.resume_token else 0
        with self.followers.place():
            yield api_pb2.GetResultsResponse(resume_token=tokens.seal(ChangePlace(after)))
            said = self._clock.monotonic()
            while not self._changes.ended:
                event = self._changes.next(caller.tenant, request.pipeline)
                changed = await self._store.changes(query, after)
                if not changed:
                    await self._changes.wait(event, FOLLOW_SECONDS)
                    if self._clock.monotonic() - said < FOLLOW_SECONDS:
                        continue
                else:
                    after = changed[-1].change
                yield api_pb2.GetResultsResponse(
                    results=await self._to_wire(query, changed), resume_token=tokens.seal(ChangePlace(after))
                )
                said = self._clock.monotonic()
            raise Unavailable("the server stops", hint="follow on with the resume token")

    async def page(self, caller: Caller, request: api_pb2.ListResultsRequest) -> api_pb2.ListResultsResponse:
        """One page of results in the order of windows.

        Raises :class:`NotFound`, :class:`InvalidInput` for a page that is too large, :class:`PageTokenExpired`.
        """
        require(caller, Right.READ)
        query = self._query(caller, request, limit=page_size(request.page_size))
        tokens = self._tokens(query, PageTokenExpired)
        after = tokens.open(request.page_token, ResultPlace).place if request.page_token else None
        page = await self._store.results(query, after)
        more = page.last is not None and len(page.results) == query.limit
        return api_pb2.ListResultsResponse(
            results=await self._to_wire(query, page.results),
            next_page_token=tokens.seal(ResultPlace.of(page.last)) if page.last is not None and more else "",
        )

    async def latest(self, caller: Caller, request: api_pb2.GetLatestRequest) -> api_pb2.GetLatestResponse:
        """A step's newest windows, and the rows of the keys with most readings in the newest closed one.

        Raises :class:`NotFound`, :class:`InvalidInput` if more is asked for than one answer may hold.
        """
        require(caller, Right.READ)
        plan = self._plan(caller, request.pipeline)
        step = request.step or next(iter(sorted(plan.layouts)), "")
        self._check_step(plan, step)
        windows, keys = request.windows or DEFAULT_WINDOWS, request.keys or DEFAULT_KEYS
        if windows > MAX_WINDOWS or keys > MAX_KEYS or windows * keys > MAX_LATEST:
            raise InvalidInput(
                f"{windows} windows of {keys} keys are too many",
                hint=f"at most {MAX_WINDOWS} windows, {MAX_KEYS} keys, and {MAX_LATEST} rows in all",
            )
        live = await self._store.live(caller.tenant, plan.row.plan, step, windows=windows, keys=keys)
        return latest_to_wire(plan, live)

    def _query(
        self, caller: Caller, request: api_pb2.GetResultsRequest | api_pb2.ListResultsRequest, *, limit: int
    ) -> ResultQuery:
        plan = self._plan(caller, request.pipeline)
        if request.step:
            self._check_step(plan, request.step)
        return ResultQuery(
            tenant=caller.tenant,
            pipeline=request.pipeline,
            step=request.step,
            since_us=request.since_us if request.HasField("since_us") else None,
            until_us=request.until_us if request.HasField("until_us") else None,
            limit=limit,
        )

    def _tokens(self, query: ResultQuery, expired: type[InvalidInput]) -> Tokens:
        question = (
            expired.__name__,
            query.tenant,
            query.pipeline,
            query.step,
            query.since_us,
            query.until_us,
        )
        return Tokens(incarnation=self._store.incarnation, question=question, expired=expired)

    def _plan(self, caller: Caller, pipeline: str) -> KnownPlan:
        return public_plan(self._catalog, caller, pipeline)

    def _check_step(self, plan: KnownPlan, step: str) -> None:
        if step not in plan.layouts:
            steps = ", ".join(sorted(plan.layouts)) or "none"
            raise NotFound(
                f"{plan.row.pipeline} has no window step {step!r}", hint=f"its window steps: {steps}"
            )

    async def _to_wire(self, query: ResultQuery, results: Sequence[Result]) -> list[api_pb2.Result]:
        await self._catalog.know(self._store, query.tenant, (result.plan for result in results))
        return [
            result_to_wire(query.pipeline, plan, result)
            for result in results
            if (plan := self._catalog.plan(query.tenant, result.plan)) is not None
        ]


def public_plan(catalog: Catalog, caller: Caller, pipeline: str) -> KnownPlan:
    """The plan whose results bear the name. Raises :class:`NotFound`."""
    row = catalog.pipeline(caller.tenant, pipeline)
    plan = None if row is None else catalog.plan(caller.tenant, row.public)
    if plan is None:
        names = ", ".join(p.name for p in catalog.pipelines(caller.tenant)[:20]) or "none"
        raise NotFound(f"there is no pipeline {pipeline!r}", hint=f"deployed are: {names}")
    return plan

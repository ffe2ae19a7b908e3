"""What all ways in share: threads for slow hashes, and the counting of tries that no account counts."""

from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

import anyio
from fastapi import Request

from pingji.dashboard.context import Context, now_us
from pingji.dashboard.sign_in.tries import Addresses, Tries
from pingji.dashboard.sign_in.visit import Visit
from pingji.data.access import entering
from pingji.data.access.accounts import Account, find_account
from pingji.data.access.entering import Entered, UnknownLogin
from pingji.data.access.secret import digest_of
from pingji.data.engine import reading
from pingji.ops.sign_in import Locked, WrongSignIn, plain

HASHES_AT_ONCE = 4  # 32 MB each, and the others' requests want the processor too
P = ParamSpec("P")
R = TypeVar("R")


class Doorkeeper:
    """Lets work in, a few hashes at a time."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.settings = context.settings
        self.engine = context.engine
        self.require_second = context.settings.second_factor == "required"
        self._lanes = anyio.CapacityLimiter(HASHES_AT_ONCE)
        self._unknown = Tries()
        self._addresses = Addresses()

    def visit(self, request: Request) -> Visit:
        """A request, with our settings."""
        return Visit(request, self.settings)

    async def in_thread(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Slow work, off the event loop."""
        return await anyio.to_thread.run_sync(partial(work, *args, **kwargs), limiter=self._lanes)

    async def attempt(self, visit: Visit, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """A try that counts for its address where it goes wrong.

        Raises
        ------
        SignInError
        """
        at = now_us()
        self._addresses.require(visit.address, at)
        try:
            result = await self.in_thread(work, *args, **kwargs)
        except (WrongSignIn, Locked):
            self._addresses.count(visit.address, at)
            raise
        self.context.on_access()
        return result

    async def enter(self, visit: Visit, login: str, password: str) -> Entered:
        """By a password. A login that nobody has is locked as one that somebody has would be.

        Raises
        ------
        SignInError
        """
        at, key = now_us(), digest_of(plain(login).casefold())
        self._unknown.require(key, at)
        try:
            return await self.attempt(
                visit,
                entering.enter,
                self.engine,
                login,
                password,
                at,
                visit.browser,
                require_second=self.require_second,
            )
        except UnknownLogin:
            self._unknown.count(key, at)
            raise

    def account(self, visit: Visit) -> Account:
        """The account that is coming in."""
        with reading(self.engine) as conn:
            return find_account(conn, visit.account)

"""All live sessions: opened, found, shared, and let go when nobody watches any more."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ..auth import network_of
from ..avatar.base import AvatarProvider
from ..config import Agent, Config, nearest
from ..errors import NotFound, TooMany, Unavailable, VoiceError
from ..transport.base import Peers
from ..voice.base import TextToSpeech
from .pool import DRAW, ENCODE
from .session import Session

logger = logging.getLogger(__name__)

VOICE_AGAIN_S = 10.0
"""A voice that could not be started is tried again after so long, by the next session."""
GOODBYE_S = 2.0
"""How long shutting down waits for viewers to be told."""


@dataclass(frozen=True, slots=True)
class Engines:
    """How to make what a session needs of the outside."""

    avatar: Callable[[Agent], tuple[AvatarProvider, bytes | None]]
    """A new provider for one session, and its reference picture."""
    voice: Callable[[Agent], TextToSpeech | None]
    """A voice, shared by an agent's sessions."""


SessionHook = Callable[[Session], Awaitable[None]]


class Registry:
    """One per application. ``now`` gives monotonic seconds."""

    def __init__(
        self,
        config: Config,
        engines: Engines,
        *,
        on_session: SessionHook | None = None,
        peers: Peers | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``on_session`` is awaited for each new session before its first viewer; ``peers`` makes
        WebRTC peers, ``None`` where there are none."""
        self.config = config
        self.now = now
        self.peers = peers
        self.draining = False
        self._closed = False
        self._engines = engines
        self._on_session = on_session
        self._sessions: dict[str, Session] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._kept: set[str] = set()
        self._shared: dict[str, Session] = {}
        self._ending: dict[str, asyncio.TimerHandle] = {}
        self._attached = Counter[str]()
        self._starting = 0
        self._carried = Counter[type[AvatarProvider]]()
        # By agent: one that is slow to start keeps nobody from the others.
        self._opening = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self._starting_voice = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self._voices: dict[str, tuple[TextToSpeech | None, str]] = {}
        self._voice_failed: dict[str, float] = {}
        self._addresses: Counter[str] = Counter()
        self._viewers = 0
        self._vacated = asyncio.Event()
        self._counts = Counter[str]()
        self._make_threads()

    def _make_threads(self) -> None:
        workers = os.cpu_count() or 1
        self._drawing = ThreadPoolExecutor(workers, thread_name_prefix=DRAW)
        self._encoding = ThreadPoolExecutor(workers, thread_name_prefix=ENCODE)

    def agent(self, name: str) -> Agent:
        """The agent of that name.

        Raises:
            NotFound: when there is none, naming the nearest.
        """
        try:
            return self.config.agents[name]
        except KeyError:
            known = nearest(name, self.config.agents)
            raise NotFound(f"there is no agent {name[:64]!r}{known}") from None

    def session(self, session_id: str) -> Session:
        """The live session of that id.

        Raises:
            NotFound: when there is none.
        """
        try:
            session = self._sessions[session_id]
        except KeyError:
            raise NotFound(f"there is no session {session_id[:64]!r}") from None
        if session.closed.is_set():
            raise NotFound(f"session {session_id!r} has ended")
        return session

    def sessions(self) -> list[Session]:
        """All live sessions."""
        return [session for session in self._sessions.values() if not session.closed.is_set()]

    async def open(self, agent_name: str, *, keep: bool = True) -> Session:
        """Start a session. With ``keep`` it lives until it is closed; without, until it has been
        without viewers for ``limits.linger_s``.

        Raises:
            NotFound: when there is no such agent.
            Unavailable: when there is no room.
            AvatarError: when the avatar cannot start.
        """
        agent = self.agent(agent_name)
        self._make_room()
        self._starting += 1
        try:
            session = await self._start(agent_name, agent)
        except RuntimeError:
            if self.draining:  # its threads are gone
                raise Unavailable("the server is shutting down") from None
            raise
        finally:
            self._starting -= 1
        self._sessions[session.id] = session
        self._tasks[session.id] = asyncio.create_task(self._perform(session))
        self._counts["sessions_opened"] += 1
        self._kept.add(session.id)
        if self.draining:  # meanwhile
            session.close()
            await asyncio.wait([self._tasks[session.id]])
            raise Unavailable("the server is shutting down")
        if agent.greeting and self._voices[agent_name][0] is not None:
            session.say(agent.greeting)
        try:
            if self._on_session is not None:
                await self._on_session(session)
        except BaseException:
            session.close()
            raise
        if not keep:
            self._kept.discard(session.id)
            self._deserted(session)
        return session

    async def find(self, agent_name: str, session_id: str | None = None) -> Session:
        """The session a viewer of this agent is to join: the one asked for, the shared one, or one
        of its own.

        Raises:
            NotFound: when there is no such agent, or no such session of this agent.
            Unavailable: when there is no room.
            AvatarError: when the avatar cannot start.
        """
        agent = self.agent(agent_name)
        if session_id is not None:
            session = self.session(session_id)
            if session.agent_name != agent_name:
                raise NotFound(f"there is no session {session_id[:64]!r} of agent {agent_name!r}")
            return session
        if not agent.shared:
            return await self.open(agent_name, keep=False)
        async with self._opening[agent_name]:
            shared = self._shared.get(agent_name)
            if shared is None or shared.closed.is_set():
                shared = await self.open(agent_name, keep=False)
                self._shared[agent_name] = shared
            return shared

    @contextmanager
    def place(self, address: str) -> Iterator[None]:
        """Take a viewer's place, for as long as it is there.

        Raises:
            Unavailable: when the server is full or shutting down.
            TooMany: when its address has too many viewers.
        """
        limits, network = self.config.limits, network_of(address)
        try:
            if self.draining:
                raise Unavailable("the server is shutting down")
            if self._viewers >= limits.viewers:
                raise Unavailable("the server is full")
            if self._addresses[network] >= limits.viewers_per_address:
                raise TooMany(f"{limits.viewers_per_address} viewers from one address")
        except Exception:
            self._counts["viewers_refused"] += 1
            raise
        self._viewers += 1
        self._addresses[network] += 1
        self._counts["viewers_joined"] += 1
        try:
            yield
        finally:
            self._viewers -= 1
            if not self._viewers:
                self._vacated.set()
            self._addresses[network] -= 1
            if not self._addresses[network]:
                del self._addresses[network]

    @contextmanager
    def watched(self, session: Session) -> Iterator[None]:
        """Keep a session alive while a viewer is attached, and for a while after.

        Raises:
            Unavailable: when the session is full.
        """
        if self._attached[session.id] >= self.config.limits.viewers_per_session:
            self._counts["viewers_refused"] += 1
            raise Unavailable("the session is full")
        self._attached[session.id] += 1
        if (timer := self._ending.pop(session.id, None)) is not None:
            timer.cancel()
        try:
            yield
        finally:
            self._attached[session.id] -= 1
            if not self._attached[session.id]:
                del self._attached[session.id]
                if not session.was_joined and session.id not in self._kept:
                    session.close()  # whoever asked for it never came in
                elif session.id not in self._kept:
                    self._deserted(session)

    async def warm(self) -> None:
        """Start every voice and try every avatar once, so that the first viewer waits for neither
        and a mistake in the configuration shows at once. What was closed begins again.

        Raises:
            AvatarError: when an agent's avatar cannot start.
        """
        if self._closed:
            self._closed = self.draining = False
            self._make_threads()
        for name, agent in self.config.agents.items():
            await self._voice(name, agent)
            provider, picture = self._engines.avatar(agent)
            try:
                await provider.start(picture, width=agent.width, height=agent.height)
                await provider.warm()
            finally:
                await provider.stop()

    async def close(self) -> None:
        """End every session and free everything."""
        self.draining = True
        for session in self._sessions.values():
            session.close()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self._viewers:  # each is being told why
            self._vacated.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._vacated.wait(), GOODBYE_S)
        for voice, _ in self._voices.values():
            if voice is not None:
                try:
                    await voice.stop()
                except Exception:
                    logger.exception("voice %s did not stop cleanly", voice.name)
        self._voices.clear()
        self._drawing.shutdown(wait=False, cancel_futures=True)
        self._encoding.shutdown(wait=False, cancel_futures=True)
        self._closed = True

    @property
    def viewers(self) -> int:
        """How many viewers there are."""
        return self._viewers

    def counters(self) -> Counter[str]:
        """What happened so far, in sessions that have ended too, by the names ``/metrics`` has."""
        counts = Counter(self._counts)
        for session in self._sessions.values():
            counts.update(session.counters())
        return counts

    async def _start(self, agent_name: str, agent: Agent) -> Session:
        provider, picture = self._engines.avatar(agent)
        voice, voiceless = await self._voice(agent_name, agent)
        await self._make_room_in(provider)
        session = Session(
            agent_name,
            agent,
            provider,
            voice=voice,
            voiceless=voiceless,
            limits=self.config.limits,
            drawing=self._drawing,
            encoding=self._encoding,
            now=self.now,
        )
        self._carried[type(provider)] += 1
        try:
            await session.start(picture)
        except BaseException:
            self._carried[type(provider)] -= 1
            raise
        return session

    async def _perform(self, session: Session) -> None:
        try:
            await session.run()
        except Exception:
            logger.exception("session %s failed", session.id)
        finally:
            self._carried[session.engine] -= 1
            self._sessions.pop(session.id, None)
            self._counts.update(session.counters())
            self._tasks.pop(session.id, None)
            self._kept.discard(session.id)
            if (timer := self._ending.pop(session.id, None)) is not None:
                timer.cancel()
            if self._shared.get(session.agent_name) is session:
                del self._shared[session.agent_name]

    def _deserted(self, session: Session) -> None:
        loop, linger_s = asyncio.get_running_loop(), self.config.limits.linger_s
        if not session.closed.is_set():
            self._ending[session.id] = loop.call_later(linger_s, session.close)

    def _make_room(self) -> None:
        """A session that only lingers makes way for a new one."""
        if self.draining:
            raise Unavailable("the server is shutting down")
        if len(self.sessions()) + self._starting < self.config.limits.sessions:
            return
        lingering = (id for id in self._ending if not self._sessions[id].closed.is_set())
        if (oldest := next(lingering, None)) is None:
            raise Unavailable("the server is full")
        self._end(oldest)

    async def _make_room_in(self, provider: AvatarProvider) -> None:
        """No more sessions at once than the engine carries, those that linger aside."""
        engine, capacity = type(provider), provider.capacity
        while capacity is not None and self._carried[engine] >= capacity:
            lingering = (id for id in self._ending if self._sessions[id].engine is engine)
            if (oldest := next(lingering, None)) is None:
                raise Unavailable(f"avatar {provider.name} carries {capacity} sessions at once")
            self._end(oldest)
            await asyncio.wait([self._tasks[oldest]])

    def _end(self, lingering: str) -> None:
        self._ending.pop(lingering).cancel()
        self._sessions[lingering].close()

    async def _voice(self, name: str, agent: Agent) -> tuple[TextToSpeech | None, str]:
        """The agent's voice, started once; else ``None`` and why."""
        async with self._starting_voice[name]:
            failed_at = self._voice_failed.get(name, math.inf)
            if name not in self._voices or self.now() - failed_at >= VOICE_AGAIN_S:
                self._voices[name] = await self._start_voice(name, agent)
        return self._voices[name]

    async def _start_voice(self, name: str, agent: Agent) -> tuple[TextToSpeech | None, str]:
        try:
            voice = self._engines.voice(agent)
            if voice is not None:
                await voice.start()
        except VoiceError as error:
            logger.warning("agent %s stays silent: %s", name, error)
            self._voice_failed[name] = self.now()
            return None, str(error)
        self._voice_failed.pop(name, None)
        return voice, f"agent {name!r} has no voice"

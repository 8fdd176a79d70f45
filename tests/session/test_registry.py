"""All live sessions: opened, shared, limited, and let go."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, asynccontextmanager

import pytest

from tests.fakes import FakeAvatar, FakeViewer, FakeVoice, InlineExecutor, settled, virtual
from wsstream.config import make_config
from wsstream.errors import AvatarError, NotFound, TooMany, Unavailable, VoiceError
from wsstream.session.registry import Engines, Registry

LINGER_S = 15.0


class Rig:
    """A registry whose engines are fakes, all of them kept."""

    def __init__(self, agents=None, on_session=None, avatar=None, **limits):
        self.avatars, self.voices = [], []
        self.voice_words = ""
        self.make_avatar = avatar or FakeAvatar
        agents = agents or {"ada": {}, "hall": {"shared": True}}
        for agent in agents.values():
            agent.setdefault("size", "64x64")
        config = make_config({"agents": agents, "limits": {"linger_s": LINGER_S, **limits}})
        self.registry = Registry(
            config,
            Engines(self._avatar, self._voice),
            on_session=on_session,
            now=lambda: asyncio.get_running_loop().time(),
        )

    def _avatar(self, agent):
        self.avatars.append(self.make_avatar())
        return self.avatars[-1], b"portrait"

    def _voice(self, agent):
        self.voices.append(FakeVoice())
        self.voices[-1].missing = self.voice_words
        return self.voices[-1]

    @property
    def count(self):
        return len(self.registry.sessions())

    @asynccontextmanager
    async def watching(self, agent="ada", session_id=None, address="10.0.0.1"):
        """One viewer, from coming in to leaving, as app/facetime.py does it."""
        with self.registry.place(address):
            session = await self.registry.find(agent, session_id)
            with self.registry.watched(session):
                viewer = FakeViewer()
                session.join(viewer)
                try:
                    yield session
                finally:
                    session.leave(viewer)


@asynccontextmanager
async def rig_of(*args, **options):
    rig = Rig(*args, **options)
    try:
        yield rig
    finally:
        await rig.registry.close()


# Finding a session.


@virtual
async def test_each_viewer_gets_a_session_of_its_own():
    async with rig_of() as rig, rig.watching() as first, rig.watching() as second:
        assert first is not second
        assert rig.count == 2
        assert rig.avatars[0] is not rig.avatars[1]
        assert len(rig.voices) == 1  # started once for all


@virtual
async def test_viewers_of_a_shared_agent_get_the_same_session():
    async with rig_of() as rig, rig.watching("hall") as first, rig.watching("hall") as second:
        assert first is second
        assert len(first.viewers) == 2


@virtual
async def test_viewers_of_a_shared_agent_who_come_at_once_get_the_same_session():
    class Slow(FakeAvatar):
        async def start(self, reference_image, *, width, height):
            await asyncio.sleep(1)
            await super().start(reference_image, width=width, height=height)

    async with rig_of(avatar=Slow) as rig:
        found = await asyncio.gather(*(rig.registry.find("hall") for _ in range(5)))
        assert len({id(session) for session in found}) == 1


@virtual
async def test_a_session_may_be_joined_by_its_id():
    async with rig_of() as rig, rig.watching() as mine, rig.watching("ada", mine.id) as same:
        assert same is mine
        assert rig.count == 1


@virtual
async def test_what_does_not_exist_is_not_found_and_the_nearest_is_named():
    async with rig_of() as rig:
        with pytest.raises(NotFound, match=r"no agent 'adda'; did you mean 'ada'\?"):
            await rig.registry.find("adda")
        with pytest.raises(NotFound, match="no session 'x'"):
            await rig.registry.find("ada", "x")
        with pytest.raises(NotFound, match="no session"):
            rig.registry.session("x")


@virtual
async def test_a_session_of_another_agent_is_not_found():
    async with rig_of() as rig, rig.watching("hall") as session:
        with pytest.raises(NotFound, match="of agent 'ada'"):
            await rig.registry.find("ada", session.id)


@virtual
async def test_a_long_name_is_cut_in_the_answer():
    async with rig_of() as rig:
        with pytest.raises(NotFound) as refusal:
            await rig.registry.find("a" * 10_000)
        assert len(str(refusal.value)) < 300


@virtual
async def test_there_is_nothing_to_resume_after_the_end():
    async with rig_of() as rig:
        session = await rig.registry.open("ada")
        session.close()
        await settled()
        with pytest.raises(NotFound):
            await rig.registry.find("ada", session.id)


# Opening one.


@virtual
async def test_the_engine_gets_the_agents_picture_and_size():
    async with rig_of() as rig:
        await rig.registry.open("ada")
        assert rig.avatars[0].reference_image == b"portrait"


@virtual
async def test_a_greeting_is_said_to_the_first_viewer():
    async with rig_of({"ada": {"greeting": "Welcome!"}}) as rig, rig.watching():
        await asyncio.sleep(1)
        assert rig.voices[0].spoken == ["Welcome!"]


@virtual
async def test_without_a_voice_a_greeting_is_left_out():
    rig = Rig({"ada": {"greeting": "Welcome!"}})
    rig.voice_words = "install it"
    async with rig.watching() as session:
        await asyncio.sleep(1)
        assert session.state == "idle"
    await rig.registry.close()


@virtual
async def test_the_application_is_told_of_each_session_before_its_first_viewer():
    seen = []

    async def on_session(session):
        seen.append((session.id, len(session.viewers)))

    async with rig_of(on_session=on_session) as rig, rig.watching() as session:
        assert seen == [(session.id, 0)]


@virtual
async def test_an_avatar_that_cannot_start_opens_nothing():
    rig = Rig()

    def broken():
        avatar = FakeAvatar()
        avatar.broken.add("start")
        return avatar

    rig.make_avatar = broken
    with pytest.raises(AvatarError):
        await rig.registry.find("hall")
    assert rig.count == 0
    rig.make_avatar = FakeAvatar
    assert await rig.registry.find("hall")
    await rig.registry.close()


@virtual
async def test_a_voice_that_is_missing_leaves_the_agent_silent_and_says_why():
    rig = Rig()
    rig.voice_words = "espeak-ng is not installed"
    session = await rig.registry.open("ada")
    with pytest.raises(VoiceError, match="espeak-ng is not installed"):
        session.say("Hello.")
    await rig.registry.close()


@virtual
async def test_a_voice_that_could_not_start_is_tried_again_after_a_while():
    rig = Rig()
    rig.voice_words = "the service is down"
    await rig.registry.open("ada")
    await rig.registry.open("ada")
    assert len(rig.voices) == 1
    rig.voice_words = ""
    await asyncio.sleep(10)
    session = await rig.registry.open("ada")
    session.say("Hello.")
    await rig.registry.open("ada")
    assert len(rig.voices) == 2
    await rig.registry.close()


@virtual
async def test_an_agent_that_is_slow_to_start_keeps_nobody_from_another():
    never = asyncio.Event()

    class Stuck(FakeAvatar):
        async def start(self, reference_image, *, width, height):
            await never.wait()

    async with rig_of({"hall": {"shared": True}, "room": {"shared": True}}) as rig:
        hall = await rig.registry.find("hall")
        rig.make_avatar = Stuck
        stuck = asyncio.create_task(rig.registry.find("room"))
        await settled()
        assert await rig.registry.find("hall") is hall
        stuck.cancel()


@virtual
async def test_a_voice_is_started_once_however_many_come_at_once():
    async with rig_of() as rig:
        await asyncio.gather(*(rig.registry.open("ada") for _ in range(5)))
        assert [voice.started for voice in rig.voices] == [1]


# Limits.


@virtual
async def test_only_so_many_viewers_are_let_in():
    async with rig_of(viewers=2) as rig:
        with ExitStack() as places:
            places.enter_context(rig.registry.place("a"))
            places.enter_context(rig.registry.place("b"))
            assert rig.registry.viewers == 2
            with pytest.raises(Unavailable, match="full"), rig.registry.place("c"):
                pass
        assert rig.registry.viewers == 0
        with rig.registry.place("c"):
            pass
        counters = rig.registry.counters()
        assert (counters["viewers_joined"], counters["viewers_refused"]) == (3, 1)


@virtual
async def test_only_so_many_viewers_of_one_address_are_let_in():
    async with rig_of(viewers_per_address=1) as rig:
        with rig.registry.place("a"):
            with pytest.raises(TooMany, match="1 viewers from one address"):
                rig.registry.place("a").__enter__()
            with rig.registry.place("b"):
                pass
        with rig.registry.place("a"):
            pass


@virtual
async def test_a_place_is_given_back_when_its_viewer_fails():
    async with rig_of(viewers=1) as rig:
        for _ in range(3):
            with pytest.raises(NotFound), rig.registry.place("a"):
                await rig.registry.find("nobody")
        assert rig.registry.viewers == 0


@virtual
async def test_only_so_many_viewers_watch_one_session():
    async with rig_of(viewers_per_session=2) as rig:
        async with rig.watching("hall"), rig.watching("hall"):
            with pytest.raises(Unavailable, match="the session is full"):
                await rig.watching("hall").__aenter__()
        async with rig.watching("hall"):
            pass


@virtual
async def test_of_one_network_there_are_only_so_many_viewers():
    async with rig_of(viewers_per_address=1) as rig:
        with rig.registry.place("2001:db8::1"):
            with pytest.raises(TooMany):
                rig.registry.place("2001:db8::2:3").__enter__()
            with rig.registry.place("2001:db8:0:1::1"):
                pass


@virtual
async def test_who_finds_a_session_full_counts_as_refused():
    async with rig_of(viewers_per_session=1) as rig, rig.watching("hall"):
        with pytest.raises(Unavailable):
            await rig.watching("hall").__aenter__()
        assert rig.registry.counters()["viewers_refused"] == 1


@virtual
async def test_a_session_into_which_nobody_came_ends_at_once():
    async with rig_of() as rig:
        session = await rig.registry.find("ada")
        with rig.registry.watched(session):
            pass
        await settled()
        assert rig.count == 0


@virtual
async def test_an_engine_carries_only_so_many_sessions_those_that_linger_aside():
    class Heavy(FakeAvatar):
        capacity = 1

    async with rig_of(avatar=Heavy) as rig:
        async with rig.watching("ada") as first:
            with pytest.raises(Unavailable, match="avatar fake carries 1 sessions at once"):
                await rig.registry.find("hall")
        async with rig.watching("hall"):
            assert first.closed.is_set()
        assert rig.count == 1


@virtual
async def test_only_so_many_sessions_are_open():
    async with rig_of(sessions=2) as rig, rig.watching(), rig.watching():
        with pytest.raises(Unavailable, match="full"):
            await rig.registry.find("ada")
        assert rig.count == 2


@virtual
async def test_only_so_many_sessions_are_open_though_they_come_at_once():
    class Slow(FakeAvatar):
        async def start(self, reference_image, *, width, height):
            await asyncio.sleep(1)
            await super().start(reference_image, width=width, height=height)

    async with rig_of(avatar=Slow, sessions=2) as rig:
        await asyncio.gather(*(rig.registry.open("ada") for _ in range(10)), return_exceptions=True)
        assert rig.count == 2


@virtual
async def test_a_session_that_only_lingers_makes_way_the_oldest_first():
    async with rig_of(sessions=2) as rig:
        async with rig.watching() as first:
            pass
        await asyncio.sleep(1)
        async with rig.watching() as second:
            pass
        async with rig.watching() as third:
            await settled()
            assert first.closed.is_set()
            assert rig.registry.sessions() == [second, third]


@virtual
async def test_one_that_is_ending_makes_room_for_one_and_no_more():
    class Hanging(FakeAvatar):
        async def stop(self):
            await asyncio.sleep(4)

    async with rig_of(avatar=Hanging, sessions=2, linger_s=10) as rig:
        async with rig.watching() as first:
            pass
        async with rig.watching():
            await asyncio.sleep(11)
            assert first.closed.is_set()
            async with rig.watching():
                with pytest.raises(Unavailable, match="full"):
                    await rig.registry.find("ada")


@virtual
async def test_a_session_somebody_watches_does_not_make_way():
    async with rig_of(sessions=2) as rig, rig.watching() as watched:
        async with rig.watching() as left:
            pass
        async with rig.watching():
            await settled()
            assert left.closed.is_set()
            assert not watched.closed.is_set()


@virtual
async def test_a_session_somebody_came_back_to_does_not_make_way():
    async with rig_of(sessions=1) as rig:
        async with rig.watching() as session:
            pass
        async with rig.watching("ada", session.id):
            with pytest.raises(Unavailable):
                await rig.registry.find("ada")


@virtual
async def test_a_session_opened_to_be_kept_does_not_make_way():
    async with rig_of(sessions=1) as rig:
        await rig.registry.open("ada")
        with pytest.raises(Unavailable):
            await rig.registry.find("ada")


# How long a session lives.


@virtual
async def test_a_session_outlives_its_last_viewer_for_a_while():
    async with rig_of() as rig:
        async with rig.watching() as session:
            await asyncio.sleep(100)
            assert not session.closed.is_set()
        await asyncio.sleep(LINGER_S - 0.1)
        assert not session.closed.is_set()
        await asyncio.sleep(0.2)
        assert session.closed.is_set()
        assert rig.count == 0
        assert rig.avatars[0].calls["stop"] == 1


@virtual
async def test_a_viewer_that_comes_back_in_time_keeps_it_alive():
    async with rig_of() as rig:
        async with rig.watching() as session:
            pass
        await asyncio.sleep(LINGER_S - 1)
        async with rig.watching("ada", session.id):
            await asyncio.sleep(LINGER_S * 3)
            assert not session.closed.is_set()


@virtual
async def test_a_session_nobody_ever_watched_goes_too():
    async with rig_of() as rig:
        await rig.registry.find("ada")
        await asyncio.sleep(LINGER_S + 0.1)
        assert rig.count == 0


@virtual
async def test_without_lingering_a_session_goes_with_its_viewer():
    async with rig_of(linger_s=0) as rig:
        async with rig.watching() as session:
            await asyncio.sleep(1)
            assert not session.closed.is_set()
        await settled()
        assert rig.count == 0


@virtual
async def test_a_session_opened_to_be_kept_lives_until_it_is_closed():
    async with rig_of() as rig:
        session = await rig.registry.open("ada")
        async with rig.watching("ada", session.id):
            pass
        await asyncio.sleep(LINGER_S * 10)
        assert not session.closed.is_set()
        session.close()
        await settled()
        assert rig.count == 0


@virtual
async def test_of_two_viewers_the_last_one_counts():
    async with rig_of() as rig, rig.watching("hall") as session:
        async with rig.watching("hall"):
            pass
        await asyncio.sleep(LINGER_S * 2)
        assert not session.closed.is_set()


@virtual
async def test_one_that_has_not_given_its_token_yet_keeps_the_session_alive():
    async with rig_of() as rig:
        session = await rig.registry.find("hall")
        with rig.registry.watched(session):  # waits for its token
            async with rig.watching("hall"):
                pass  # another comes and goes
            session.join(FakeViewer())
            await asyncio.sleep(LINGER_S + 1)
            assert not session.closed.is_set()


@virtual
async def test_after_its_end_a_shared_session_is_opened_anew():
    async with rig_of() as rig:
        async with rig.watching("hall") as first:
            first.close()
            await settled()
        async with rig.watching("hall") as second:
            assert second is not first
            assert not second.closed.is_set()


@virtual
async def test_while_a_shared_session_is_ending_the_next_one_is_opened():
    class Heavy(FakeAvatar):
        async def stop(self):
            await asyncio.sleep(3)

    async with rig_of(avatar=Heavy) as rig:
        async with rig.watching("hall") as first:
            pass
        await asyncio.sleep(LINGER_S + 1)  # closed; its engine takes a while to stop
        async with rig.watching("hall") as second:
            assert second is not first


@virtual
async def test_a_session_that_fails_is_gone_and_the_others_go_on(caplog):
    class Crashing(FakeViewer):
        def offer_sound(self, packet):
            raise RuntimeError("a bug")

    async with rig_of() as rig, rig.watching() as fine:
        crashing = await rig.registry.open("ada")
        crashing.join(Crashing())
        await asyncio.sleep(1)
        assert rig.registry.sessions() == [fine]
        assert crashing.closed.is_set()
    assert f"session {crashing.id} failed" in caplog.text


# Counting.


@virtual
async def test_what_ended_sessions_did_stays_counted():
    async with rig_of() as rig:
        async with rig.watching():
            await asyncio.sleep(1)
        before = rig.registry.counters()
        await asyncio.sleep(LINGER_S + 1)
        assert rig.count == 0
        after = rig.registry.counters()
        assert all(after[name] >= value for name, value in before.items())
        assert after["packets_sent"] == before["packets_sent"] >= 50
        assert after["sessions_opened"] == 1


@virtual
async def test_counters_never_go_down_while_sessions_come_and_go():
    async with rig_of(sessions=2) as rig:
        last = rig.registry.counters()

        def look():
            nonlocal last
            counters = rig.registry.counters()
            assert {n: v for n, v in last.items() if counters[n] < v} == {}
            last = counters

        for _ in range(5):
            async with rig.watching():
                await asyncio.sleep(0.5)
                look()
            await settled()
            look()
        await asyncio.sleep(LINGER_S + 1)
        look()


@virtual
async def test_counters_do_not_go_down_while_a_session_makes_way():
    class Heavy(FakeAvatar):
        async def stop(self):
            await asyncio.sleep(3)

    async with rig_of(avatar=Heavy, sessions=1) as rig:
        async with rig.watching():
            await asyncio.sleep(1)
        before = rig.registry.counters()["packets_released"]
        async with rig.watching():
            assert rig.registry.counters()["packets_released"] >= before


# Beginning and end of the whole.


@virtual
async def test_warming_tries_every_agent_once():
    async with rig_of() as rig:
        await rig.registry.warm()
        assert len(rig.avatars) == len(rig.voices) == 2
        assert {avatar.calls["start"] for avatar in rig.avatars} == {1}
        assert {avatar.calls["stop"] for avatar in rig.avatars} == {1}
        await rig.registry.open("ada")
        assert len(rig.voices) == 2


@virtual
async def test_warming_finds_an_avatar_that_cannot_start():
    async with rig_of() as rig:

        def broken():
            avatar = FakeAvatar()
            avatar.broken.add("start")
            return avatar

        rig.make_avatar = broken
        with pytest.raises(AvatarError):
            await rig.registry.warm()
        assert rig.avatars[0].calls["stop"] == 1


@virtual
async def test_while_draining_nobody_comes_in():
    async with rig_of() as rig:
        rig.registry.draining = True
        with pytest.raises(Unavailable, match="shutting down"):
            rig.registry.place("a").__enter__()
        with pytest.raises(Unavailable, match="shutting down"):
            await rig.registry.open("ada")


@virtual
async def test_closing_ends_everything_and_may_be_done_twice():
    rig = Rig()
    async with rig.watching() as private, rig.watching("hall") as shared:
        await asyncio.sleep(1)
        await rig.registry.close()
        assert private.closed.is_set()
        assert shared.closed.is_set()
        assert rig.count == 0
        assert {avatar.calls["stop"] for avatar in rig.avatars} == {1}
        assert {voice.stopped for voice in rig.voices} == {1}
    await rig.registry.close()
    await settled()
    assert [t for t in asyncio.all_tasks() if t is not asyncio.current_task()] == []


@virtual
async def test_after_its_end_it_may_begin_again():
    async with rig_of() as rig:
        for n in (1, 2):
            await rig.registry.warm()
            async with rig.watching() as session:
                session.say("Hello.")
                await asyncio.sleep(1)
                assert session.state == "speaking" or session.counters()["packets_released"] > 40
            await rig.registry.close()
            assert [voice.stopped for voice in rig.voices] == [1] * 2 * n
            with pytest.raises(Unavailable):
                await rig.registry.open("ada")


@pytest.mark.parametrize("seconds", [0.5, 5.0])
def test_a_session_that_is_being_opened_at_the_end_is_stopped(seconds):
    class Heavy(FakeAvatar):
        async def start(self, reference_image, *, width, height):
            await asyncio.sleep(seconds)
            await super().start(reference_image, width=width, height=height)

    @virtual
    async def test():
        async with rig_of(avatar=Heavy) as rig:
            opening = asyncio.create_task(rig.registry.open("ada"))
            await asyncio.sleep(0.1)
            await rig.registry.close()
            assert rig.registry.draining
            with pytest.raises(Unavailable, match="shutting down"):
                await opening
            assert rig.count == 0
            assert rig.avatars[0].calls["stop"] == 1

    test()


@virtual
async def test_a_session_whose_threads_are_gone_when_it_starts_is_stopped():
    class Heavy(FakeAvatar):
        async def start(self, reference_image, *, width, height):
            await asyncio.sleep(1)

    class Gone(InlineExecutor):
        def submit(self, fn, /, *args, **kwargs):
            raise RuntimeError("cannot schedule new futures after shutdown")

    async with rig_of(avatar=Heavy) as rig:
        rig.registry._drawing = Gone()
        opening = asyncio.create_task(rig.registry.open("ada"))
        await asyncio.sleep(0.1)
        await rig.registry.close()
        with pytest.raises(Unavailable, match="shutting down"):
            await opening
        assert rig.avatars[0].calls["stop"] == 1


def test_no_thread_is_started_here():
    assert isinstance(Rig().registry._drawing, InlineExecutor)

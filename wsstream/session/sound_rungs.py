"""A session's sound as Opus: each form encoded once, however many take it, and not at all while
nobody does.

Nobody announces that he takes a form: a packet is encoded when the first one asks for it, and the
others get the same bytes.

A decoder that is given packets of one encoder after those of another has the wrong past: a tone
then dips by 5 to 17 dB for some milliseconds. So a taker changes between encoders in silence only.
Within sound, it goes on with a copy of its encoder, which is set to the new form (as one encoder
would be): a tone dips by 1 dB. It joins the others in the next silence, or after a while without
any. It takes one step at a time: where libopus changes its mode on the way from 32 to 16 kbit/s (it
does with a complexity of 7 or more), it lacks the bits to do that well, and a tone dips by 16 dB;
over 24 kbit/s, by 2.
"""

from __future__ import annotations

from ..media.opus import OpusEncoder, OpusForm
from ..media.types import BLOCK_MS, AudioPacket
from ..transport.base import SoundTaker

BITRATES = (48_000, 32_000, 24_000, 16_000)
"""Below that of the agent; what is below 16 kbit/s is hardly understood."""
FEC_BITRATE = 24_000
"""With less, libopus has no bits to spare for copies of what it sent."""
STEP_MS = 200
"""A step has to show in the decoder before the next."""
JOIN_MS = 10_000
"""Where there is no silence for so long, a short dip is better than an encoder for each viewer."""


class SoundRung:
    """One encoding of the sound, block by block."""

    def __init__(self, encoder: OpusEncoder, media_ms: int = -1, data: bytes = b"") -> None:
        """``encoder`` has had the sound up to and with the block of ``media_ms``, whose packet is
        ``data``."""
        self._encoder = encoder
        self._media_ms = media_ms
        self._data = data
        self._forks: dict[OpusForm, SoundRung] = {}

    @property
    def form(self) -> OpusForm:
        return self._encoder.form

    @property
    def silent(self) -> bool:
        """Whether its last block is."""
        return self._encoder.silent

    def follows(self, packet: AudioPacket) -> bool:
        """Whether it has had all before this block, or this one too."""
        return 0 <= packet.media_ms - self._media_ms <= BLOCK_MS

    def is_ahead_of(self, packet: AudioPacket) -> bool:
        """Whether it has had a newer one."""
        return packet.media_ms < self._media_ms

    def encode(self, packet: AudioPacket) -> bytes:
        """The newest block: once, whoever asks."""
        if packet.media_ms != self._media_ms:
            self._data = self._encoder.encode(packet.pcm)
            self._media_ms = packet.media_ms
            self._forks.clear()
        return self._data

    def fork(self, form: OpusForm) -> SoundRung:
        """Another one that goes on from here in another form; the same for all who ask for it after
        one block."""
        if form not in self._forks:
            encoder = self._encoder.fork()
            encoder.form = form
            self._forks[form] = SoundRung(encoder, self._media_ms, self._data)
        return self._forks[form]


class SoundRungs:
    """All of a session's."""

    def __init__(self, bitrate: int) -> None:
        """``bitrate``: of the best, in bits per second."""
        self.bitrates = (bitrate, *(rate for rate in BITRATES if rate < bitrate))
        self._shared: dict[OpusForm, SoundRung] = {}

    def subscribe(self) -> SoundTaker:
        """One more taker, on the best rung. It costs nothing while it takes nothing."""
        return _Taker(self)

    def find(self, form: OpusForm, packet: AudioPacket) -> SoundRung | None:
        """The rung of this form that others take, with this block encoded; ``None`` when nobody
        does."""
        rung = self._shared.get(form)
        if rung is None or not rung.follows(packet):
            return None
        rung.encode(packet)
        return rung

    def share(self, rung: SoundRung, packet: AudioPacket) -> SoundRung:
        """Let others take it too, unless they have one of its form. Returns it. One that is behind,
        for who is given what was said before, is nobody else's."""
        shared = self._shared.get(rung.form)
        if shared is None or not (shared.follows(packet) or shared.is_ahead_of(packet)):
            self._shared[rung.form] = rung
        return rung


class _Taker(SoundTaker):
    """Goes to the form that is wanted, unheard."""

    def __init__(self, rungs: SoundRungs) -> None:
        self._rungs = rungs
        self._levels_left = len(rungs.bitrates)
        self._fec = False
        self._rung: SoundRung | None = None
        self._moved_ms = -STEP_MS

    @property
    def form(self) -> OpusForm:
        return self._wanted if self._rung is None else self._rung.form

    def follow(self, levels_left: int) -> None:
        self._levels_left = levels_left

    def protect(self, fec: bool) -> None:
        self._fec = fec

    @property
    def _wanted(self) -> OpusForm:
        rates = self._rungs.bitrates
        rate = rates[max(0, len(rates) - 1 - self._levels_left)]
        if self._fec and rates[0] >= FEC_BITRATE:
            return OpusForm(max(rate, FEC_BITRATE), fec=True)
        return OpusForm(rate)

    def take(self, packet: AudioPacket) -> bytes:
        rungs, rung, wanted = self._rungs, self._rung, self._wanted
        if rung is None or not rung.follows(packet):  # who gets it has heard nothing before it
            rung = rungs.find(wanted, packet) or SoundRung(OpusEncoder(*wanted))
        data = rung.encode(packet)
        self._rung = self._next(rungs.share(rung, packet), packet, wanted)
        return data

    def _next(self, rung: SoundRung, packet: AudioPacket, wanted: OpusForm) -> SoundRung:
        """Who encodes the next block."""
        if rung.silent:
            shared = self._rungs.find(wanted, packet)
            return shared or self._rungs.share(rung.fork(wanted), packet)
        since_ms = packet.media_ms - self._moved_ms
        if rung.form == wanted:
            return (since_ms >= JOIN_MS and self._rungs.find(wanted, packet)) or rung
        if since_ms < STEP_MS:
            return rung
        self._moved_ms = packet.media_ms
        return self._rungs.share(rung.fork(self._step(rung.form, wanted)), packet)

    def _step(self, form: OpusForm, wanted: OpusForm) -> OpusForm:
        """From one form towards another."""
        if form.fec != wanted.fec:
            return form._replace(fec=wanted.fec)
        rates = self._rungs.bitrates
        index = rates.index(form.bitrate)
        index += 1 if wanted.bitrate < form.bitrate else -1
        return form._replace(bitrate=rates[index])

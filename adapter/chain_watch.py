"""Option chains on a running feed: strikes are subscribed as the spot comes near them.

Rules (which strikes, and when the centre moves: instruments/chain.py)
- The spot is what the newest packet of its instrument says; no request is made for it. No strike is
  subscribed before there is one with a price, and no price is 0.
- What was subscribed stays, however the spot moves: a recording has no holes.
- Packets are not delayed: a thread looks at the spot every `_LOOK_EVERY_S` while there is a chain
  to follow.
- A limit of the broker ends the following of the chain that reached it, and nothing else. It is
  reported once: here if we counted it, by the connection if the broker refused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from .errors import SubscriptionRefusedError
from .event_log import EventLog
from .events import Refused
from .instrument import Instrument, InstrumentKey
from .instruments.naming import name_key
from .instruments.roles import Role, role
from .periodic import every
from .quotes import ChainListing
from .tick import Mode
from .wire.packet import decode_packet

if TYPE_CHECKING:  # a stream without a chain does not pay for the rooms that read contracts
    from .instruments.chain import Chain

_LOOK_EVERY_S = 0.25
LIMIT = "limit"
"""The code of the event when a chain wants more than the broker allows."""


class Feed(Protocol):
    """What a chain is followed on (`BrokerAdapter`)."""

    events: EventLog

    def last_packet(self, instrument: Instrument, mode: Mode) -> bytes: ...
    def has_refused(self, instruments: Iterable[Instrument], mode: Mode) -> bool: ...
    def subscribe(self, instruments: Iterable[Instrument], mode: Mode) -> list[Instrument]: ...
    def unsubscribe(self, instruments: Iterable[Instrument], mode: Mode) -> list[Instrument]: ...


class FollowedChain:
    """One chain: where its centre is, and what has been asked for. Pure.

    `asked` are the contracts of its strikes so far, `brought` those of them that were subscribed
    for this chain and not by name.
    """

    def __init__(
        self, chain: Chain, mode: Mode, is_mine: Callable[[Instrument], bool] = lambda _one: True
    ) -> None:
        self.chain = chain
        self.mode = mode
        self.asked: dict[InstrumentKey, Instrument] = {}
        self.brought: set[InstrumentKey] = set()
        self.packet = b""
        self._is_mine = is_mine
        self._strikes = chain.strikes
        self._centre: Decimal | None = None

    @property
    def name(self) -> str:
        """As it was typed."""
        return self.chain.wanted.text

    def listing(self, *, has_strikes: bool) -> ChainListing:
        """How it is shown: the strikes of which a contract has been asked for."""
        asked = self.asked
        strikes = {
            strike: (_of(Role.CALL, contracts, asked), _of(Role.PUT, contracts, asked))
            for strike, contracts in (self.chain.contracts.items() if has_strikes else ())
            if any(one.key in asked for one in contracts)
        }
        chain = self.chain
        return ChainListing(self.name, chain.underlying, chain.expiry, chain.spot, strikes)

    def move_to(self, spot: Decimal) -> list[Instrument]:
        """The contracts to add when the spot is there; each is returned once."""
        from .instruments.chain import followed, nearest_strike, strikes_around

        if self._centre is None:
            centre = nearest_strike(self._strikes, spot)
        else:
            centre = followed(self._strikes, self._centre, spot)
        if centre == self._centre:
            return []
        self._centre = centre
        near = strikes_around(self._strikes, centre, self.chain.wanted.strikes)
        contracts = [one for strike in near for one in self.chain.contracts[strike]]
        new = [one for one in contracts if one.key not in self.asked and self._is_mine(one)]
        self.asked.update((one.key, one) for one in new)
        return new


class ChainWatch:
    """The chains that a feed follows, and the thread that does.

    Every method is for any thread. `_lock` guards the chains; `_life` the thread, which takes
    `_lock` and never `_life`.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._chains: list[FollowedChain] = []
        self._ended: list[FollowedChain] = []
        self._lock = threading.Lock()
        self._life = threading.Lock()
        self._thread = ExitStack()
        self._is_running = False

    @property
    def chains(self) -> list[Chain]:
        """Those that are followed now."""
        with self._lock:
            return [each.chain for each in self._chains]

    def listings(self, *, has_strikes: bool) -> tuple[ChainListing, ...]:
        """All chains so far, also those that a limit ended, with the strikes asked for."""
        with self._lock:
            return tuple(
                each.listing(has_strikes=has_strikes) for each in (*self._chains, *self._ended)
            )

    def follow(self, chain: Chain, mode: Mode, is_mine: Callable[[Instrument], bool]) -> None:
        """Follow a chain once the feed runs. One that is followed already stays as it is."""
        with self._lock:
            if all(_name(each.chain) != _name(chain) for each in self._chains):
                self._chains.append(FollowedChain(chain, mode, is_mine))
            self._ended = [each for each in self._ended if _name(each.chain) != _name(chain)]
        with self._life:
            self._restart()

    def find(self, text: str) -> Chain | None:
        """The followed chain that was typed like this, in any case."""
        return next((each for each in self.chains if _name(each) == name_key(text)), None)

    def only_for(self, chains: Sequence[Chain]) -> list[Instrument]:
        """What is subscribed for these chains and for nothing else."""
        with self._lock:
            left, others = self._parted(chains)
            kept = {key for other in others for key in other.asked}
            return [
                one
                for each in left
                for key, one in each.asked.items()
                if key in each.brought and key not in kept
            ]

    def unfollow(self, chains: Sequence[Chain]) -> None:
        """Stop following these."""
        with self._lock:
            left, self._chains = self._parted(chains)
            brought = {key for each in left for key in each.brought}
            for other in self._chains:  # what another covers too is that one's from now on
                other.brought |= brought & other.asked.keys()

    def _parted(self, chains: Sequence[Chain]) -> tuple[list[FollowedChain], list[FollowedChain]]:
        named = {_name(chain) for chain in chains}
        left = [each for each in self._chains if _name(each.chain) in named]
        return left, [each for each in self._chains if each not in left]

    def keep(self, instruments: Iterable[Instrument]) -> None:
        """These were asked for by name: they do not go when a chain goes."""
        keys = {one.key for one in instruments}
        with self._lock:
            for each in self._chains:
                each.brought -= keys

    # --- the thread ---

    def begin(self) -> None:
        """The feed runs."""
        with self._life:
            self._is_running = True
            self._restart()

    def end(self) -> None:
        """The feed ends. Waits for a look that is under way. Raises what a look raised."""
        with self._life:
            self._is_running = False
            self._thread.close()

    def _restart(self) -> None:
        """Restart the thread where there are chains: it ends by itself when none is left."""
        self._thread.close()
        if self._is_running and self.chains:
            self._thread.enter_context(every(_LOOK_EVERY_S, self._look, name="chains"))

    def _look(self) -> bool:
        """Once over all chains; whether none is left to follow."""
        with self._lock:
            chains = list(self._chains)
        over = [each for each in chains if not self._advance(each)]
        with self._lock:
            self._ended += [each for each in self._chains if each in over]
            self._chains = [each for each in self._chains if each not in over]
            return not self._chains

    def _advance(self, each: FollowedChain) -> bool:
        """Add what a chain wants now; whether it is followed on."""
        packet = self._feed.last_packet(each.chain.spot, each.mode)
        if packet is each.packet or not packet:
            return True
        each.packet = packet
        if self._feed.has_refused(each.asked.values(), each.mode):
            return False
        spot = decode_packet(packet).ltp
        new = each.move_to(spot) if spot > 0 else []
        if not new:
            return True
        try:
            added = self._feed.subscribe(new, each.mode)
        except SubscriptionRefusedError as error:
            self._feed.events.add(Refused(LIMIT, error.message, each.name, len(new)))
            each.asked = {key: one for key, one in each.asked.items() if one not in new}
            return False
        with self._lock:
            is_followed = each in self._chains
            each.brought.update(one.key for one in added)
        if not is_followed:  # it was unfollowed meanwhile
            self._feed.unsubscribe(added, each.mode)
        return True


def _of(
    part: Role, contracts: Iterable[Instrument], asked: Mapping[InstrumentKey, Instrument]
) -> Instrument | None:
    """The call or the put among the contracts of a strike, where it was asked for."""
    return next((one for one in contracts if one.key in asked and role(one) is part), None)


def _name(chain: Chain) -> str:
    return name_key(chain.wanted.text)

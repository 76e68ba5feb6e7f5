"""What a running stream subscribes to, as its user changes it from outside.

Rules
- Names mean what they mean when a stream is started; the stream's own aliases count.
- A change is all or nothing, and the stream is unharmed by one that is refused.
- What is dropped is looked for by the name that the stream shows (`NSE:SBIN-EQ`) first: a contract
  that has expired meanwhile is found by no other name.
- The last instrument cannot be dropped, nor the spot of a chain that is followed.
- Dropping a chain drops the strikes that only it added; its spot stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .api import resolve_symbols
from .broker import BrokerAdapter
from .config import Config
from .control import ControlServer
from .control_messages import Add, Change, Reply, SentError, sent
from .errors import (
    LocalFaultError,
    SubscriptionRefusedError,
    SymbolError,
    TicksError,
    UnknownSymbolError,
)
from .instrument import Instrument, InstrumentKey
from .instruments.catalog import all_in_one
from .instruments.naming import name_key
from .recorder import Recorder
from .tick import Mode

if TYPE_CHECKING:
    from .instruments.chain import Chain


class Subscriptions:
    """The subscription of `broker` in `mode`, changed by one thread at a time."""

    def __init__(self, broker: BrokerAdapter, mode: Mode, config: Config) -> None:
        self._broker = broker
        self._mode = mode
        self._config = config

    def change(self, change: Change) -> Reply:
        """Do what is asked. Raises SymbolError, or what `resolve_symbols` raises."""
        act = self._add if isinstance(change, Add) else self._drop
        return act(change.symbols)

    def _add(self, names: Sequence[str]) -> Reply:
        notes: list[str] = []
        chains: list[Chain] = []
        wanted = resolve_symbols(self._config, names, note=notes.append, follow=chains.append)
        added = self._broker.subscribe(wanted, self._mode)
        self._broker.chains.keep(wanted)
        for chain in chains:
            self._broker.follow(chain, self._mode)
            notes.append(
                f"{chain.wanted.text}: the strikes of {chain.expiry} near {chain.spot} are added"
                " as its ticks arrive"
            )
        new = {one.key for one in added}
        unchanged = [str(one) for one in wanted if one.key not in new]
        return Reply(tuple(map(str, added)), tuple(unchanged), tuple(notes))

    def _drop(self, names: Sequence[str]) -> Reply:
        subscribed = {one.key: one for one in self._broker.subscribed}
        chains, wanted = self._meant(names, subscribed)
        spots = {c.spot.key: c for c in self._broker.chains.chains if c not in chains}
        for one in wanted:
            if chain := spots.get(one.key):
                raise SubscriptionRefusedError(
                    f"{one} is the spot of {chain.wanted.text}",
                    kind="spot-of-chain",
                    chain=chain.wanted.text,
                )
        gone = {one.key: one for one in (*wanted, *self._broker.chains.only_for(chains))}
        if gone.keys() >= subscribed.keys():
            raise SubscriptionRefusedError(
                "a stream needs an instrument, and this would leave none", kind="last-instrument"
            )
        self._broker.chains.unfollow(chains)
        dropped = self._broker.unsubscribe(gone.values(), self._mode)
        return Reply(tuple(map(str, dropped)))

    def _meant(
        self, names: Sequence[str], subscribed: Mapping[InstrumentKey, Instrument]
    ) -> tuple[list[Chain], list[Instrument]]:
        """The chains and the instruments that are named. Raises SymbolError for others."""
        chains: list[Chain] = []
        wanted: list[Instrument] = []
        faults: list[SymbolError] = []
        for name in names:
            chain = self._broker.chains.find(self._config.aliases.spelling_of(name))
            if chain is not None:
                chains.append(chain)
                continue
            try:
                wanted.append(self._one_meant(name, subscribed))
            except SymbolError as error:
                faults.append(error)
        if faults:
            raise all_in_one(faults)
        return chains, wanted

    def _one_meant(self, name: str, subscribed: Mapping[InstrumentKey, Instrument]) -> Instrument:
        """The subscribed instrument that a name means."""
        key = name_key(name)
        for one in subscribed.values():
            if name_key(str(one)) == key:
                return one
        chains: list[Chain] = []
        try:
            (meant,) = resolve_symbols(self._config, [name], follow=chains.append)
        except SymbolError:
            alike = [one for one in subscribed.values() if key in (name_key(one.symbol), one.token)]
            if len(alike) != 1:
                raise
            return alike[0]
        if chains:
            followed = [chain.wanted.text for chain in self._broker.chains.chains]
            also = f"; followed: {', '.join(followed)}" if followed else ""
            message = f"the option chain {chains[0].wanted.text} is not followed{also}"
            raise UnknownSymbolError(message, kind="chain-not-followed", typed=name)
        if meant.key not in subscribed:
            likely = tuple(one for one in subscribed.values() if one.name == meant.name)
            raise _not_there(name, f"{meant} is not subscribed", likely)
        return subscribed[meant.key]


@contextmanager
def controlled(
    folder: Path,
    recorder: Recorder,
    subscriptions: Subscriptions,
    note: Callable[[str], None],
) -> Iterator[None]:
    """While the block lasts other processes can end the stream and change it.

    Where no socket can be made in `folder`, `note` gets a line, and the stream runs without. A
    client that asked for the end is answered at the end, with the error that the block raises.
    """
    server = ControlServer(folder, stop=recorder.stop, change=subscriptions.change)
    try:
        server.open()
    except LocalFaultError as error:
        note(f"this stream cannot be controlled: {error.message}")
    failure: SentError | None = None
    try:
        yield
    except TicksError as error:
        failure = sent(error)
        raise
    finally:
        server.close(Reply(summary=recorder.summary().facts(), error=failure))


def _not_there(name: str, message: str, likely: tuple[Instrument, ...]) -> UnknownSymbolError:
    also = f"; subscribed: {', '.join(map(str, likely[:3]))}" if likely else ""
    return UnknownSymbolError(message + also, kind="not-subscribed", candidates=likely, typed=name)

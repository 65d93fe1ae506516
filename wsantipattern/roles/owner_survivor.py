"""Timers that survive their owner's end: left armed, armed again by the end itself, or armed again after a wait.

Each finding is an interleaving: the timer is armed, the owner ends, and what fires then works on what the end has let go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal

from wsantipattern.finding import Confidence
from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import Place
from wsantipattern.model.summary import callers
from wsantipattern.record import record
from wsantipattern.roles.event import Events, event_name
from wsantipattern.roles.owner import End, Link, Owners
from wsantipattern.roles.owner_after import Aftermath, Chain, Goal
from wsantipattern.roles.owner_dealing import Dealings
from wsantipattern.roles.owner_forgotten import forgotten
from wsantipattern.roles.owner_removed import removed
from wsantipattern.roles.owner_timer import Armed, OwnerTimers
from wsantipattern.roles.owner_unlike import given, unlike
from wsantipattern.roles.sending import Sends
from wsantipattern.roles.timer import Timers

How = Literal["revived", "left", "resumed"]


@record(frozen=True, slots=True, eq=False)
class Survivor:
    """A timer that is armed after an end of its owner.

    Attributes:
        how: `revived`: the end closes the connection, and the close handler arms it; `left`: the end does not clear
            it; `resumed`: the end clears it while its callback waits, and the callback arms it anew.
        before: how the timer came to be armed after the end. work: what its callback does then.
        remakes: it makes the connection anew (otherwise it uses what is closed).
        cleared: where the end clears this timer or another one, or None.
        early: the test at which the end leaves before it clears, or None.
    """

    armed: Armed
    end: End
    how: How
    before: Chain
    work: Chain
    remakes: bool
    cleared: tuple[Step, Place] | None
    confidence: Confidence
    early: Step | None = None


class Survivors:
    """The surviving timers of one module."""

    def __init__(
        self,
        module: Module,
        knowledge: Knowledge,
        events: Events,
        timers: Timers,
        kept: OwnerTimers,
        owners: Owners,
        sends: Sends,
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.events = events
        self.timers = timers
        self.kept = kept
        self.owners = owners
        self.sends = sends
        self.dealings = Dealings(module, knowledge, events, timers, kept, owners)
        self._after: dict[End, Aftermath] = {}
        self._settled: set[Armed] = set()
        self._making: dict[tuple[Function, Link, bool], bool] = {}

    @cached_property
    def found(self) -> list[Survivor]:
        """One for each timer at most, in order of appearance."""
        found: dict[object, Survivor] = {}
        if not (self.kept.armed or self.kept.given):
            return []
        for survivor in self._all():
            armed = survivor.armed
            self._take_down(survivor)
            key: object = armed.held if armed.held is not None else armed.call
            known = found.get(key)
            if (known is None or known.confidence < survivor.confidence) and not self._leaks_at_once(armed):
                found[key] = survivor
        if self.module.considered.active:
            self._account_for_the_unowned()
        return sorted(found.values(), key=lambda s: s.armed.extent)

    def _all(self) -> Iterator[Survivor]:
        for link in self.owners.links:
            ends = self.owners.ends_of(link)
            for armed in self.kept.armed:
                if not (self.module.considered.active or self._concerns(armed, link)):
                    continue
                for end in ends:
                    yield from self._revived(armed, link, end)
                for end in ends:
                    yield from self._left(armed, link, end)
                yield from self._left_by_close(armed, link)
        for armed in self.kept.armed:
            yield from self._resumed(armed)
            yield from forgotten(self, armed)
            yield from removed(self, armed)
            yield from unlike(self, armed)
        for armed in self.kept.given:
            yield from given(self, armed)

    def _leaks_at_once(self, armed: Armed) -> bool:
        """Whether `timer-not-cleared` speaks of this very place."""
        timer = armed.timer if armed.collection is None else None
        with self.module.unheard():
            leaks = timer is not None and (
                self.timers.executors.leaky_settle(armed.function, timer) is not None
                or self.timers.way_out(armed.function, timer) is not None
            )
        if leaks:
            self._silent(
                armed, "the function that arms `{}` forgets it itself, as another rule says", armed.name
            )
        return leaks

    def _silent(self, armed: Armed, reason: str, *names: object, at: t.Extent | None = None) -> None:
        self.module.considered.silent(armed.extent, reason, *names, at=at)

    def settled_by(self, armed: Armed, end: End) -> None:
        """Takes down that an end deals with a timer."""
        name, at = self.timers.described(end.function), end.function.name_extent
        self._settled.add(armed)
        self._silent(armed, "the end {} clears `{}`, or calls what may clear it", name, armed.name, at=at)

    def _take_down(self, survivor: Survivor) -> None:
        """Takes down what makes a timer a survivor."""
        considered, armed, end = self.module.considered, survivor.armed, survivor.end
        extent, at = armed.extent, end.function.name_extent
        considered.evidence(extent, "`{}` can outlive the call that arms it", armed.name)
        considered.evidence(extent, "its owner ends in {}", self.timers.described(end.function), at=at)
        what = {
            "left": "the end leaves it armed, and its callback works on what is gone",
            "revived": "the end closes the connection, and the close handler arms it again",
            "resumed": "the end clears it while its callback waits, and the callback arms it again",
        }[survivor.how]
        considered.evidence(extent, what, at=survivor.cleared[0].extent if survivor.cleared else None)
        if survivor.confidence < Confidence.HIGH:
            considered.weaker(
                extent, "not structure but names make this the end, or the connection, of the owner"
            )

    def _account_for_the_unowned(self) -> None:
        """Takes down the timers beside which no connection, or no end of an owner, is to be seen."""
        ends = [end for link in self.owners.links for end in self.owners.ends_of(link)]
        for armed in self.kept.armed:
            if armed in self._settled:
                continue
            if not self.owners.links:
                self._silent(armed, "no connection is kept beside `{}` that could end before it", armed.name)
            elif not ends:
                self._silent(armed, "the owner of `{}` has no end in this file", armed.name)

    def after(self, end: End) -> Aftermath:
        if end not in self._after:
            self._after[end] = Aftermath(self.owners, end)
        return self._after[end]

    # -- armed again by the end itself -----------------------------------------------------------

    def _revived(self, armed: Armed, link: Link, end: End) -> Iterator[Survivor]:
        cleared = self.dealings.clears(end, armed)
        if end.kind == "plain" and cleared is None:
            return
        if not self._remakes(armed, link, another=True) or self._unhears(end, link):
            return
        after = self.after(end)
        # What the close handler of a connection sets off may keep the next one elsewhere.
        work = self.work(
            after, armed, lambda f, s: self.owners.makes(link, f, s) or self.owners.makes_another(s)
        )
        if work is None:
            return
        for function, start in self._heard_closed(link):
            if start is not None and self.dealings.aborts(end):
                continue  # What reads is cancelled, and does not go on.
            # A loop over a connection ends where it is closed; it fails where the link breaks.
            labels = {"false"} if start is not None and start.kind == "iterate" else None
            before = after.way(
                function,
                lambda f, s: self.kept.arms(armed, f, s),
                start=start,
                labels=labels,
                handler=True,
            )
            if before is None:
                continue
            cleared = cleared or self.dealings.sibling(end, armed)
            sure = end.is_sure or (end.kind == "method" and cleared is not None)
            confidence = Confidence.HIGH if link.is_strong and sure else Confidence.MEDIUM
            if end.kind == "plain":
                confidence = Confidence.LOW
            yield Survivor(armed, end, "revived", before, work, True, cleared, confidence)
            return

    def work(self, after: Aftermath, armed: Armed, goal: Goal) -> Chain | None:
        """How what a timer runs comes to a step of `goal` after an end, with nothing on the way that may ask."""
        for wait in armed.waits or (None,):
            chain = after.way(armed.callback, goal, start=wait)
            if chain is not None:
                return chain
        return None

    def _concerns(self, armed: Armed, link: Link) -> bool:
        """Whether the callback may come to the connection at all."""
        return self._remakes(armed, link, another=True) or any(
            self._uses(link, s) for f in self.owners.run_by(armed.callback) for s in f.cfg.steps
        )

    def _remakes(self, armed: Armed, link: Link, another: bool) -> bool:
        """Whether the callback may make the connection anew, or `another` one, whatever it asks before."""
        key = (armed.callback, link, another)
        if key not in self._making:
            self._making[key] = any(
                self._makes_soon(armed, link, f, s) or (another and self.owners.makes_another(s))
                for f in self.owners.run_by(armed.callback)
                for s in f.cfg.steps
            )
        return self._making[key]

    def _makes_soon(self, armed: Armed, link: Link, function: Function, step: Step) -> bool:
        """Whether a step makes the connection anew, or arms another timer that does."""
        return self.owners.makes(link, function, step) or any(
            other.held != armed.held
            and self.kept.arms(other, function, step)
            and any(
                self.owners.makes(link, f, s) for f in self.owners.run_by(other.callback) for s in f.cfg.steps
            )
            for other in self.kept.armed
            if step.kind in ("call", "assign")
        )

    def _heard_closed(self, link: Link) -> Iterator[tuple[Function, Step | None]]:
        """What runs because the connection is closed: close handlers, and what follows a receive."""
        for handler in link.handlers:
            yield handler, None
        for function, step in self.owners.receives(link):
            if not self._tells_apart(function):
                yield function, step

    def _tells_apart(self, function: Function) -> bool:
        """Whether a reader has a handler of its own for a close that was asked for."""
        names = self.knowledge.names("owner", "asked_for")
        return any(
            name.rpartition(".")[2] in names
            for step in function.cfg.of_kind("handler")
            if isinstance(step.statement, t.Try)
            for handler in step.statement.handlers
            for name in handler.types
        )

    def _unhears(self, end: End, link: Link) -> bool:
        """Whether an end takes a handler away, puts another in its place, or gives the connection to somebody else."""
        for function in self.owners.run_by(end.function):
            for step in function.cfg.steps:
                if (
                    step.kind == "assign"
                    and step.target is not None
                    and self._is_handler_of(link, step.target)
                ):
                    return True
                call = step.call
                if call is None or step.kind not in ("call", "spawn"):
                    continue
                if call.method in self.knowledge.names("event", "removers"):
                    return True
                if self.module.resolve(call) is None and any(
                    isinstance(a, t.Ref) and self.owners.own(a.place) in link.places for a in call.arguments
                ):
                    return True
        return False

    def _is_handler_of(self, link: Link, place: Place) -> bool:
        """Whether a place is one of a connection's own handlers: `this.socket.onclose`."""
        parent = place.parent
        return (
            parent is not None
            and event_name(place.name) != place.name.lower()
            and self.owners.own(parent) in link.places
        )

    # -- left armed ------------------------------------------------------------------------------

    def _left(self, armed: Armed, link: Link, end: End) -> Iterator[Survivor]:
        name, at = self.timers.described(end.function), end.function.name_extent
        if self.dealings.arms_itself(end, armed):
            self._silent(armed, "{} arms it itself, so it ends nothing for `{}`", name, armed.name, at=at)
            return
        failing = None
        if self.dealings.deals_with(end, armed, link):
            failing = self.dealings.fails_to_clear(end, armed)
            if failing is None:
                self.settled_by(armed, end)
                return
            end = End(end.function, end.kind, link, failing[0])
        after = self.after(end) if failing is None else Aftermath(self.owners, end, failing[1])
        cleared = self.dealings.sibling(end, armed) if failing is None else None
        work = None
        if self._remakes(armed, link, another=False):
            work = self.work(after, armed, lambda f, s: self._makes_soon(armed, link, f, s))
        remakes = work is not None
        if work is None:
            work = self.work(after, armed, lambda f, s: self._uses(link, s))
        if work is None:
            what = "once {} has run, the callback of `{}` comes to nothing of the connection"
            self._silent(armed, what, name, armed.name, at=at)
            return
        once = "`{}` fires once, and nothing shows that {} is to clear it"
        if armed.held is None and not (remakes or armed.repeats):
            self._silent(armed, once, armed.name, name, at=at)
            return
        early = self.dealings.leaves_early(end, armed)
        if early is not None:
            cleared = None
        meant = (
            cleared is not None
            or early is not None
            or failing is not None
            or (armed.held is not None and self.dealings.is_cleared_elsewhere(armed, end))
        )
        if remakes:
            # Somebody decides whether to connect again where the timer is armed: the end writes what is asked there.
            meant = meant or self._stops_arming(armed, link, after)
            if armed.held is None and not (end.is_sure or meant):
                self._silent(armed, once, armed.name, name, at=at)
                return
        elif not meant and (armed.arming.task or not self.repeats(armed)):
            # What is taken back in good time is not to fire come what may.
            meant = end.kind != "plain" and armed.place is not None and self.dealings.is_ever_cleared(armed)
            if not meant:
                self._silent(armed, once, armed.name, name, at=at)
                return
        if end.kind == "plain" and not meant:
            self._silent(
                armed, "nothing shows that {} is the end of the owner of `{}`", name, armed.name, at=at
            )
            return
        sure = end.is_sure or (end.kind == "method" and meant)
        confidence = Confidence.HIGH if link.is_strong and sure else Confidence.MEDIUM
        if failing is not None:
            confidence = Confidence.MEDIUM
        if end.kind == "plain" and (
            remakes or not link.is_strong or not self._is_one_of_two(armed, end, link)
        ):
            confidence = Confidence.LOW
        before = [(armed.function, armed.step)]
        yield Survivor(
            armed,
            end,
            "left",
            before,
            work,
            remakes,
            cleared,
            confidence,
            early.test if early is not None else None,
        )

    def _is_one_of_two(self, armed: Armed, end: End, link: Link) -> bool:
        """Whether another way to close the connection, one that says so, clears the timer, and does not go through here."""
        around = self.owners.callers_of(end.function)
        tidy = [
            other.function
            for other in self.owners.ends_of(link)
            if other.kind != "plain" and self.dealings.deals_with(other, armed, link)
        ]
        return bool(tidy) and not any(function in around for function in tidy)

    def _left_by_close(self, armed: Armed, link: Link) -> Iterator[Survivor]:
        """A timer that uses the connection and that no close handler clears; one that fires once, where one clears another."""
        ends = [End(h, "event", link) for h in link.handlers if link.is_strong or not self._only_tells(h)]
        if not ends or (armed.held is None and armed.function.kind == "top"):
            return  # What a script starts for itself goes on as long as the script.
        if any(
            self.dealings.arms_itself(end, armed) or self.dealings.deals_with(end, armed, link)
            for end in ends
        ):
            return
        end, cleared = ends[0], None
        if armed.arming.task or not self.repeats(armed):
            told = [(one, self.dealings.sibling(one, armed)) for one in ends if armed.held is not None]
            meant = [(one, sibling) for one, sibling in told if sibling is not None]
            if not meant:
                return
            end, cleared = meant[0]
        after = self.after(end)
        work = self.work(after, armed, lambda f, s: self._uses(link, s))
        if work is None or self._is_cleared_on_the_way(armed, link) or self._reports(armed, ends):
            return
        confidence = Confidence.HIGH if link.is_strong else Confidence.MEDIUM
        yield Survivor(armed, end, "left", [(armed.function, armed.step)], work, False, cleared, confidence)

    def _only_tells(self, handler: Function) -> bool:
        """Whether a close handler only writes a line to a log: the object of another file may connect again by itself."""
        for step in handler.cfg.steps:
            target = step.target
            if target is not None and (target.path or target.root.scope is not handler):
                return False
            if step.call is not None and not self.owners.only_tells(step.call):
                return False
        return True

    def _reports(self, armed: Armed, ends: list[End]) -> bool:
        """Whether a close handler tells the owner's owner, who may call the end that clears the timer."""
        if not self.dealings.is_cleared_from_outside(armed):
            return False
        quiet = self.knowledge.names("owner", "quick").union(*(a.methods for a in self.timers.armings))
        return any(
            self.module.resolve(call) is None
            and call.receiver is not None
            and not call.total
            and call.method not in quiet
            for end in ends
            for f in self.owners.run_by(end.function)
            for _, call in f.cfg.calls
        )

    def _is_cleared_on_the_way(self, armed: Armed, link: Link) -> bool:
        """Whether the timer is cleared before it is armed anew, where a connection follows on a closed one."""
        if not link.makers and armed.place is not None and Place(armed.place.root) in link.places:
            return False  # The object is its connection, and ends with it.
        functions = set(link.makers)
        if self.repeats(armed):
            opening = {
                r.handler for r in self.events.registrations(*self.knowledge.names("liveness", "opened"))
            }
            begun = {f for start in (*link.makers, *opening) for f in self.owners.run_by(start)}
            functions |= {armed.function, *(begun & set(self.owners.callers_of(armed.function)))}
        if armed.collection is not None:
            emptied = self.kept.collections.emptied_by(armed.collection, armed.arming)
            return any(not emptied.isdisjoint(self.owners.run_by(f)) for f in functions)
        if armed.place is None:
            return False
        clears = self.timers.clears(armed.arming)
        return any(self.owners.sees(f, armed.place) and clears.possibly(f, armed.place) for f in functions)

    def repeats(self, armed: Armed) -> bool:
        """Whether a timer goes on by itself: it repeats, or what it runs arms it again."""
        if armed.repeats:
            return True
        return any(
            self.kept.arms(armed, f, s) for f in self.owners.run_by(armed.callback) for s in f.cfg.steps
        )

    def _uses(self, link: Link, step: Step) -> bool:
        """Whether a step sends on the connection."""
        call = step.call
        if call is None or step.kind not in ("call", "spawn"):
            return False
        sending = self.sends.of(call)
        if sending is not None and self.owners.holds(link, sending.place):
            return True
        place = call.receiver_place
        names = self.knowledge.names
        if place is not None and (place in link.writers or self.owners.own(place) in link.writers):
            return call.method in link.sends or call.method in names("owner", "writes")
        if link.sends and (self.module.canonical(call.callee) or "") in names("owner", "writes_to"):
            first = call.arguments[0] if call.arguments else None
            return isinstance(first, t.Ref) and self.owners.own(first.place) in link.places
        if place is None or self.owners.own(place) not in link.places:
            return False
        if link.library is None:
            return call.method in link.sends
        pings = {p["method"] for p in link.library.facts.get("pings", [])}
        return call.method in pings | link.library.sends | {"ping"}

    def _stops_arming(self, armed: Armed, link: Link, after: Aftermath) -> bool:
        """Whether the end writes a flag that is asked before the timer is armed."""
        wanted = {p for p, truth in after.truths.items() if p not in self.owners.timer_places}
        wanted -= link.places
        if not wanted:
            return False
        for function in {armed.function, *link.handlers, *self.owners.callers_of(armed.function)}:
            for step in function.cfg.of_kind("test"):
                for part in step.term.walk() if step.term is not None else ():
                    if isinstance(part, t.Ref) and part.place in wanted:
                        return True
        return False

    # -- armed again after a wait ----------------------------------------------------------------

    def _resumed(self, armed: Armed) -> Iterator[Survivor]:
        place = armed.place
        if place is None or armed.repeats:
            return
        ran = self.owners.run_by(armed.callback)
        if not any(self.kept.arms(armed, f, s) for f in ran for s in f.cfg.steps):
            return
        waits = [(f, s) for f in ran for s in f.cfg.steps if s.suspends]
        if not waits and not self.kept.is_concurrent(armed.arming):
            return
        clears = self.timers.clears(armed.arming)
        for function in self.module.functions_mentioning(place.name):
            if function in ran or function is armed.function or not self.owners.sees(function, place):
                continue
            for step in function.cfg.steps:
                if not clears.may_at(function, step, place):
                    continue
                end = self._end_that_clears(function, armed)
                if end is not None and not _is_waited_for(function, step, ran):
                    yield from self._goes_on_after(armed, end, (step, place), waits)
                break

    def _end_that_clears(self, function: Function, armed: Armed) -> End | None:
        kind = self.owners.kind_of(function)
        link = next(
            (
                k
                for k in self.owners.links
                if any(self.owners.closes(k, s) for f in self.owners.run_by(function) for s in f.cfg.steps)
            ),
            None,
        )
        if kind == "plain" and link is None and self.dealings.is_last_clear(function, armed):
            kind = "last"
        if kind is None or (kind == "plain" and link is None):
            return None
        end = End(function, kind, link)
        if self.dealings.arms_itself(end, armed) or self.dealings.aborts(end):
            return None
        outer = {caller for caller, _ in callers(function)} if kind == "named" else set()
        if outer and all(any(self.kept.arms(armed, f, s) for s in f.cfg.steps) for f in outer):
            return None  # Only a restart calls it.
        return end

    def _goes_on_after(
        self, armed: Armed, end: End, cleared: tuple[Step, Place], waits: list[tuple[Function, Step]]
    ) -> Iterator[Survivor]:
        after = self.after(end)

        def goal(function: Function, step: Step) -> bool:
            return self.kept.arms(armed, function, step)

        # What waited goes on after it, or in the handler of its failure.
        starts: list[tuple[Function, Step | None, Step | None]] = [(f, wait, wait) for f, wait in waits]
        starts.extend(
            (f, wait, edge.target)
            for f, wait in waits
            for edge in wait.edges
            if edge.label == "raise" and edge.target is not f.cfg.raised
        )
        if self.kept.is_concurrent(armed.arming):
            starts.append((armed.callback, None, None))
        for function, start, onward in starts:
            again = after.way(function, goal, start=onward)
            if again is None or (start is None and not self._takes_time(again)):
                continue
            if any(f in after.hearing for f, _ in again):
                continue  # That the connection has closed runs it, and that is looked at by itself.
            # What is armed after the end may still look, when it fires, before it does anything.
            if start is not None and after.way(armed.callback, _reaching(start)) is None:
                continue
            sure = end.is_sure or end.kind == "method"
            confidence = Confidence.HIGH if sure else Confidence.MEDIUM
            if end.kind == "plain":
                confidence = Confidence.LOW
            before = [(function, start), *again] if start is not None else again
            yield Survivor(armed, end, "resumed", before, again, False, cleared, confidence)
            return

    def _takes_time(self, chain: Chain) -> bool:
        """Whether something runs before the timer is armed that another thread can come between."""
        return any(
            self._is_slow(call) and function.cfg.reaches(before, step)
            for function, step in chain
            for before, call in function.cfg.calls
        )

    def _is_slow(self, call: t.Call) -> bool:
        """Whether a call of another file takes time, or a function of the file makes one that does and arms nothing."""
        callee = self.module.resolve(call)
        if callee is not None:
            ran = self.owners.run_by(callee)
            armed = any(self.kept.arms(a, f, s) for a in self.kept.armed for f in ran for s in f.cfg.steps)
            return not armed and any(
                self.module.resolve(inner) is None and self._is_slow(inner)
                for f in ran
                for _, inner in f.cfg.calls
            )
        return (
            not call.total
            and call.method not in self.knowledge.names("owner", "quick")
            and self.kept.timers.arming_of(call, 0) is None
            and not self.owners.only_tells(call)
        )

    def account(self, survivor: Survivor) -> tuple[str, str, list[tuple[t.Extent, str]]]:
        """The message of a finding, how it calls the end, and the interleaving."""
        from wsantipattern.roles.owner_account import account

        return account(survivor)


def _is_waited_for(function: Function, clear: Step, ran: Sequence[Function]) -> bool:
    """Whether a function waits, before it clears, for something that the callback sets: `await this.polling`."""
    written = {step.target for f in ran for inner in (f, *f.descendants) for step, _ in inner.cfg.assignments}
    return any(
        isinstance(part, t.Ref) and part.place in written
        for step in function.cfg.of_kind("suspend")
        if step.term is not None and function.cfg.reaches(step, clear)
        for part in step.term.walk()
    )


def _reaching(wanted: Step) -> Goal:
    def goal(function: Function, step: Step) -> bool:
        return step is wanted

    return goal

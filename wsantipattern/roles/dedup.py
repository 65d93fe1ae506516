"""Dedup trackers that a diverged copy leaves behind: batches marked in them without a reset.

A tracker is a container that outlives the call and of which something in the file asks whether an item is in it, to
skip the item where it is. Weak evidence is a function of another file that is named for marking.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace

from wsantipattern.finding import Confidence
from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Cfg, Path, Step
from wsantipattern.model.flow import Key, atom, decided, plain
from wsantipattern.model.module import Function, Module
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.model.summary import callers
from wsantipattern.record import record
from wsantipattern.roles.candidate import adding
from wsantipattern.roles.container import Containers, Storage
from wsantipattern.roles.dropped import Drops
from wsantipattern.roles.event import Events
from wsantipattern.roles.mark import Mark, Marks
from wsantipattern.roles.membership import Membership
from wsantipattern.roles.origin import Frame, Origins, waits_in_loop
from wsantipattern.roles.reset import Resets, filled
from wsantipattern.roles.staleness import Divergence, Staleness
from wsantipattern.roles.words import any_of, of_place


@record(frozen=True, slots=True, eq=False)
class StaleMark:
    """A batch is marked in a tracker that still holds what the diverged copy had seen."""

    function: Function
    divergence: Divergence
    mark: Mark
    tracker: Storage
    way: Path
    reset: t.Extent | None
    confidence: Confidence
    is_late: bool
    is_reset_after: bool = False
    """The reset that the function has comes only after the mark."""

    @property
    def handler(self) -> str:
        """The function as a message names it."""
        name = self.function.name
        return f"`{name}`" if name else self.function.display_name

    @property
    def keeper(self) -> str:
        """The tracker as a message names it: a container, or the function of another file that marks."""
        return (
            f"by `{self.name}`, which still knows"
            if self.mark.said
            else f"in `{self.name}`, which still holds"
        )

    @property
    def name(self) -> str:
        """The tracker as the user writes it."""
        return _name(self.tracker)


class Trackers:
    """The dedup trackers of one module."""

    def __init__(
        self, module: Module, knowledge: Knowledge, events: Events, origins: Origins, staleness: Staleness
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.origins = origins
        self.staleness = staleness
        self.containers = Containers(module, knowledge)
        self.resets = Resets(module, knowledge, events, origins, self.containers)
        self.made = Marks(module, knowledge, origins, self.containers, self.resets)
        self.membership = Membership(module, self.containers, self.made)
        self.drops = Drops(module, knowledge, origins, self.containers, self.membership)

    def marks(self, frame: Frame) -> list[Mark]:
        """Everything that a function adds to containers, itself or through functions of the file."""
        return self.made.made_in(frame)

    def is_tracker(self, place: Place) -> bool:
        """Whether some condition of the file asks whether an item is in the container at a place, to skip it."""
        return self.membership.is_tracker(place)

    def stale_marks(self) -> Iterator[StaleMark]:
        """The marks that a way on which the copy has diverged comes to without a reset, function by function."""
        # An account names every place that is considered; without one, only where a finding could be.
        chosen = None if self.module.considered.active else adding(self.module, self.knowledge)
        found: set[t.Extent] = set()
        for function in self.module.all_functions:
            if not function.is_inlined and (chosen is None or function in chosen):
                for stale in self.stale_marks_in(function):
                    if stale.mark.extent not in found:
                        found.add(stale.mark.extent)
                        yield stale

    def stale_marks_in(self, function: Function) -> list[StaleMark]:
        """The marks of one function, in order."""
        learned = self.staleness.learned_in(function)
        considered = self.module.considered
        if considered.active:
            self._account_for_others(function, bool(learned))
        if not learned or function.cfg.incomplete:
            return []
        found: dict[t.Extent, StaleMark] = {}
        for mark in self.made.made_in(self.containers.first(function), self._may_be_tracker):
            mark = self._as_said(mark)
            loops = self._batches(mark)
            if not loops and not _is_received(self.origins, mark):
                what = (
                    "what is marked in `{}` is no element of a batch that came with the call or in an answer"
                )
                considered.silent(mark.extent, what, _name(mark.storages[0]))
                continue
            if mark.extent in found:
                continue
            for storage in mark.storages:
                if not mark.said and not self._outlives(function, storage, mark.step):
                    considered.silent(mark.extent, "`{}` lives no longer than this call", _name(storage))
                    continue
                for divergence in learned:
                    if self._is_told_apart(mark, storage, divergence):
                        what = "each life of the server has entries of its own in `{}`"
                        considered.silent(mark.extent, what, _name(storage), at=divergence.extent)
                        continue
                    if not loops and not _goes_round(function.cfg, mark.step, divergence.step):
                        what = "this is asked of each item that comes in: what is marked is no recovery"
                        considered.silent(mark.extent, what, at=divergence.extent)
                        continue
                    if loops and all(inner in divergence.loops for inner in loops):
                        # It compares the very item: an old item is left out, nothing has diverged.
                        what = "this compares the very item, which is left out: nothing has diverged"
                        considered.silent(mark.extent, what, at=divergence.extent)
                        continue
                    if mark.is_position and (
                        divergence.kind == "said" or storage.place in _compared(divergence)
                    ):
                        what = "`{}` is the very position that this compares"
                        considered.silent(mark.extent, what, _name(storage), at=divergence.extent)
                        continue
                    if mark.said == "verb" and divergence.confidence > Confidence.MEDIUM:
                        what = "only a word says that `{}` marks, and no word that the copy is stale"
                        considered.silent(mark.extent, what, _name(storage), at=divergence.extent)
                        continue
                    stale = self._stale(function, divergence, mark, storage)
                    if stale is not None:
                        found.setdefault(mark.extent, stale)
        return [found[extent] for extent in sorted(found)]

    def _account_for_others(self, function: Function, is_learned: bool) -> None:
        """Takes down the marks of a function that are no candidates: in no tracker, or where no divergence is known."""
        considered = self.module.considered
        for mark in self.made.made_in(self.containers.first(function)):
            name = _name(mark.storages[0])
            if not mark.said and not any(self._may_be_tracker(s) for s in mark.storages):
                what = "`{}` is no tracker: nothing asks whether an item is in it, to skip the item"
                considered.aside(mark.extent, what, name)
            elif not is_learned:
                what = "nothing in {} shows that this copy and the server have diverged"
                considered.silent(
                    mark.extent, what, f"`{function.name}`" if function.name else function.display_name
                )
            elif function.cfg.incomplete:
                considered.silent(mark.extent, "the way through this function is not fully understood")

    def _may_be_tracker(self, storage: Storage) -> bool:
        return self.is_tracker(storage.place) or self._is_named_so(storage.place)

    def _is_named_so(self, place: Place) -> bool:
        """Whether a container of another file, that nothing here asks, is named for what was seen."""
        seen = self.knowledge.names("words", "seen")
        return place.root.kind in ("import", "global") and any_of(of_place(place), seen)

    def _as_said(self, mark: Mark) -> Mark:
        """The mark, in the containers that are trackers; one in a container that only its name calls so is weak."""
        if mark.said or mark.is_position:
            return mark
        sure = tuple(s for s in mark.storages if self.is_tracker(s.place))
        if sure:
            return replace(mark, storages=sure)
        return replace(mark, said="named")

    def _is_told_apart(self, mark: Mark, storage: Storage, divergence: Divergence) -> bool:
        """Whether the tracker or its keys hang on the very thing that differs: each life has a tracker of its own."""
        compared = [part for told, _ in divergence.given if told[0] == "==" for part in told[1:]]
        if any(at is not None and at in compared for at in storage.keys):
            return True
        for frame, value in mark.values:
            known = self.module.value_of(value) or value
            for part in known.walk():
                if isinstance(part, t.Ref) and part is not known and frame.key(part) in compared:
                    return True
        return False

    def _batches(self, mark: Mark) -> set[int]:
        """The collections, of those that came with the call or in a reply, of which the marked item is an element."""
        found: set[int] = set()
        for frame, value in mark.values:
            for leaf in self.origins.of(frame, value):
                if leaf.kind in ("given", "reply") and (leaf.loops or mark.bulk):
                    found.add(leaf.loops[0] if leaf.loops else id(value))
        return found

    def _stale(
        self, function: Function, divergence: Divergence, mark: Mark, storage: Storage
    ) -> StaleMark | None:
        cfg = function.cfg
        frame = self.containers.first(function)
        kept: dict[Step, bool] = {}

        def resets(step: Step) -> bool:
            if step not in kept:
                kept[step] = self.resets.at(frame, step, storage, mark, divergence)
            return kept[step]

        again = _rounds(cfg, divergence.step)
        given = [*divergence.given, *filled(storage), *_happening(cfg, resets)]
        sure = Confidence.MEDIUM if mark.said or mark.is_position else Confidence.HIGH
        confidence = min(sure, divergence.confidence)

        def avoided(step: Step) -> bool:
            if step is mark.step and mark.within is not None:
                # The function that it calls may empty the tracker too, but after it has marked.
                return step in again or not self.made.comes_dirty(*mark.within, storage, divergence)
            return step in again or resets(step) or self._leaves(step)

        asked = {step: self.resets.filled_outcome(frame, step, storage) for step in cfg.of_kind("test")}
        outcomes = {step: label for step, label in asked.items() if label is not None}
        considered, extent, name, at = self.module.considered, mark.extent, _name(storage), divergence.extent
        before = _filled_way(cfg, cfg.entry, {divergence.step}, resets, given, None, outcomes)
        if before is None:
            considered.silent(extent, "`{}` is emptied before this can tell of a divergence", name, at=at)
            return None
        facts = {**dict(before.facts), **dict(given)}
        way = _filled_way(
            cfg, divergence.step, {mark.step}, avoided, facts.items(), divergence.labels, outcomes
        )
        for step in way.steps if way is not None else ():
            # Only what lies on a way that was found is asked whether it tells that a helper has failed to empty.
            failed = self.resets.failing_outcome(frame, step, storage, mark, divergence)
            if failed is not None:
                outcomes[step], kept[step] = failed, True
        if way is not None and any(outcomes.get(step) is not None and kept.get(step) for step in way.steps):
            way = _filled_way(
                cfg, divergence.step, {mark.step}, avoided, facts.items(), divergence.labels, outcomes
            )
            if way is None:
                considered.silent(extent, "`{}` is emptied, or the function leaves", name, at=at)
                return None
        late_only = way is None and cfg.reaches(mark.step, divergence.step)
        if (way is None and not late_only) or (late_only and cfg.reaches(divergence.step, mark.step)):
            if considered.active:
                emptied = self._reset_nearby(cfg, frame, storage, mark, divergence)
                if emptied is not None:
                    what = "`{}` is emptied here on every way from the divergence to this mark"
                    considered.silent(extent, what, name, at=emptied[0].extent)
                else:
                    considered.silent(
                        extent, "the diverged way leaves, or delegates, before this mark", at=at
                    )
            return None
        reset = self._reset_nearby(cfg, frame, storage, mark, divergence)
        hangs = reset is not None and reset[1]
        is_dropped = False
        if not divergence.is_sure and not hangs:
            is_dropped = self.drops.refilled(frame, divergence, mark, storage) is not None
            confidence = min(confidence, Confidence.MEDIUM)
            if is_dropped and divergence.kind == "differs":
                divergence = replace(divergence, kind="dropped")
        if not divergence.is_sure and not hangs and not is_dropped:
            what = "this alone is no divergence, and no reset of `{}` hangs on it"
            considered.silent(extent, what, name, at=at)
            return None
        if hangs and divergence.kind in ("life", "base"):
            confidence = sure  # That the function resets for it says more than the names do.
        if way is not None:
            if not self._is_asked(function, divergence, mark, storage, avoided, facts, outcomes):
                considered.silent(extent, "`{}` is not asked on the diverged way", name, at=at)
                return None
            if mark.is_handed and cfg.path(mark.step, resets, given=given) is not None:
                considered.silent(extent, "this runs later, after `{}` was emptied", name, at=at)
                return None
            if reset is None:
                return self._accounted(
                    StaleMark(function, divergence, mark, storage, way, None, confidence, False), hangs
                )
            after = cfg.reaches(mark.step, reset[0]) and not cfg.reaches(reset[0], mark.step)
            where = reset[0].extent
            if reset[0] is mark.step and mark.within is not None:
                # The function that marks the batch empties the tracker as well, and does it too late.
                inner, made = mark.within
                emptied = self._reset_nearby(inner.function.cfg, inner, storage, made, divergence)
                where, after = emptied[0].extent if emptied is not None else where, True
                mark = replace(mark, extent=made.extent)
            return self._accounted(
                StaleMark(function, divergence, mark, storage, way, where, confidence, False, after), hangs
            )
        # The test comes after the marks: too late, if it is there that the tracker is reset.
        late = cfg.path(divergence.step, resets, given=given, labels=divergence.labels)
        way = cfg.path(cfg.entry, {mark.step}, avoiding=resets, given=given)
        if late is None or way is None or cfg.path(mark.step, {divergence.step}, avoiding=resets) is None:
            what = "what tells of the divergence comes after this mark, and `{}` is not reset for it"
            considered.silent(extent, what, name, at=at)
            return None
        where = late.goal.extent
        return self._accounted(
            StaleMark(function, divergence, mark, storage, way, where, confidence, True, True), hangs
        )

    def _accounted(self, stale: StaleMark, hangs: bool) -> StaleMark:
        """The stale mark, after what made it one was taken down."""
        considered, extent, divergence = self.module.considered, stale.mark.extent, stale.divergence
        if not considered.active:
            return stale
        if stale.mark.said:
            considered.weaker(extent, "only words say that `{}` is a tracker of what was seen", stale.name)
        else:
            what = "`{}` is a tracker: the file asks whether an item is in it, to skip the item"
            considered.evidence(extent, what, stale.name)
        considered.evidence(extent, divergence.account, at=divergence.extent)
        if divergence.confidence < Confidence.HIGH:
            if hangs and divergence.kind in ("life", "base"):
                considered.stronger(extent, "the function resets `{}` for it", stale.name, at=stale.reset)
            else:
                considered.weaker(extent, "only names say so", at=divergence.extent)
        elif not divergence.is_sure and not hangs:
            considered.weaker(extent, "only that the copy is dropped for it says so", at=divergence.extent)
        considered.evidence(
            extent, "no reset of `{}` lies on the way to this mark", stale.name, at=stale.reset
        )
        return stale

    def _reset_nearby(
        self, cfg: Cfg, frame: Frame, storage: Storage, mark: Mark, divergence: Divergence
    ) -> tuple[Step, bool] | None:
        """A reset of the tracker in the function, and whether it hangs on the condition that told of the divergence."""
        found: tuple[Step, bool] | None = None
        for step in cfg.steps:
            if step.kind not in ("call", "assign", "delete") or not self.resets.at(
                frame, step, storage, mark, divergence
            ):
                continue
            hangs = any(
                fact.step is divergence.step or divergence.decides(fact.term, self.module) is not None
                for fact in cfg.known_at(step)
            )
            if found is None or (hangs and not found[1]):
                found = (step, hangs)
        return found

    def _leaves(self, step: Step) -> bool:
        """Whether a call never comes back."""
        call = step.call if step.kind == "call" else None
        if call is None:
            return False
        callee = self.module.resolve(call)
        if callee is None:
            return call.method in self.containers.known("leaves")
        return (
            not callee.is_async
            and not callee.is_generator
            and not call.constructs
            and not callee.cfg.incomplete
            and callee.cfg.exit not in callee.cfg.reachable(callee.cfg.entry)
        )

    def _is_asked(
        self,
        function: Function,
        divergence: Divergence,
        mark: Mark,
        storage: Storage,
        avoided: Callable[[Step], bool],
        facts: dict[Key, bool],
        outcomes: dict[Step, str],
    ) -> bool:
        """Whether the tracker is asked on a way where the copy has diverged, if the function asks it at all."""
        asking = self.membership.asked_at(function, storage)
        if mark.said or mark.step in asking or not asking:
            return True
        # A condition that is settled already does not hang on what the tracker answers.
        asking = {
            s
            for s in asking
            if decided(plain(self.module.value_of(s.term), self.module), facts.items()) is None
        }
        way = _filled_way(
            function.cfg, divergence.step, asking, avoided, facts.items(), divergence.labels, outcomes
        )
        return way is not None

    def _outlives(self, function: Function, storage: Storage, mark: Step) -> bool:
        """Whether a container is still there when the function is called again, or waits again."""
        place = storage.place
        root = place.root
        if root.kind in ("this", "import", "global"):
            return True
        if root.scope is None or root.scope.kind == "top":
            return True
        if root.scope.host is not function.host:
            return root.scope.host.encloses(function)
        if root.kind == "parameter":
            return bool(place.path) or not self._is_handed_anew(root)
        made = [s for s in function.cfg.steps if s.kind == "assign" and s.target == Place(root)]
        return (
            bool(made)
            and not any(function.cfg.reaches(s, s) and _declares(s) for s in made)
            and waits_in_loop(function, mark)
        )

    def _is_handed_anew(self, parameter: Binding) -> bool:
        """Whether a caller in the file hands over a container of its own."""
        function = parameter.scope
        if function is None or parameter not in function.parameters:
            return False
        index = function.parameters.index(parameter)
        for caller, step in callers(function):
            value = step.call.argument(index, parameter.name) if step.call is not None else None
            if isinstance(value, t.Ref):
                root = value.place.root
                if root.kind == "local" and not value.place.path and root.scope is caller:
                    return True
            elif value is not None:
                return True
        return False


def _name(storage: Storage) -> str:
    """A container as the user writes it."""
    place = storage.place
    while place.path and place.path[-1] == ELEMENT and place.parent is not None:
        place = place.parent
    return str(place)


def _is_received(origins: Origins, mark: Mark) -> bool:
    """Whether what is marked was waited for by itself, not in a collection."""
    leaves = [leaf for frame, value in mark.values for leaf in origins.of(frame, value)]
    return any(leaf.kind == "reply" and not leaf.loops for leaf in leaves)


def _goes_round(cfg: Cfg, mark: Step, known: Step) -> bool:
    """Whether a loop marks again and again after something is known, without coming to know it anew."""
    return any(
        edge.target is mark or cfg.path(edge.target, {mark}, avoiding={known}) is not None
        for edge in mark.edges
        if edge.target is not known
    )


def _rounds(cfg: Cfg, start: Step) -> set[Step]:
    """The steps that only the next round of a loop around `start` comes to again before `start` itself."""
    if not cfg.reaches(start, start):
        return set()
    around = [s for s in cfg.steps if s is not start and cfg.reaches(s, start) and cfg.reaches(start, s)]
    return {start, *(s for s in around if cfg.dominates(s, start))}


def _happening(cfg: Cfg, resets: Callable[[Step], bool]) -> Iterator[tuple[Key, bool]]:
    """What holds where the optional calls that empty a container are made: what may be missing is thought to be there."""
    for step, call in cfg.calls:
        if call.guard is not None and resets(step):
            there = atom(call.guard)
            if there is not None:
                yield there


def _filled_way(
    cfg: Cfg,
    start: Step,
    goals: set[Step],
    avoided: Callable[[Step], bool],
    given: Iterable[tuple[Key, bool]],
    labels: Collection[str] | None,
    outcomes: dict[Step, str],
) -> Path | None:
    """A way that avoids steps; a test for emptiness, which is one of them, may be left as a full container leaves it."""
    known = list(given)
    direct = cfg.path(start, goals, avoiding=avoided, given=known, labels=labels)
    if direct is not None:
        return direct
    for test, label in outcomes.items():

        def others(step: Step, test: Step = test) -> bool:
            return step is not test and avoided(step)

        first = cfg.path(start, {test}, avoiding=others, given=known, labels=labels)
        if first is not None:
            second = cfg.path(test, goals, avoiding=avoided, given=first.facts, labels=(label,))
            if second is not None:
                return first.then(second)
    return None


def _compared(divergence: Divergence) -> set[Place]:
    """The places that the condition reads which tells of a divergence."""
    return {
        part[1]
        for told, _ in divergence.given
        for part in told[1:]
        if isinstance(part, tuple) and part[0] == "place" and isinstance(part[1], Place)
    }


def _declares(step: Step) -> bool:
    return step.store is not None and step.store.declares

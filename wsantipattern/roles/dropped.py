"""Dropped copies: what a function empties where it learns of a divergence, and fills again with what a tracker lets pass.

A tracker that refuses what was dropped leaves the copy with holes: that the function drops the copy says that it takes
what it learned for a divergence. Decided by places; a drop is a method that `knowledge` lists or words, or an empty value.
"""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import implied
from wsantipattern.model.module import Module
from wsantipattern.model.place import Place
from wsantipattern.roles.container import DEPTH, Containers, Storage
from wsantipattern.roles.mark import Mark
from wsantipattern.roles.membership import Membership
from wsantipattern.roles.origin import Frame, Origins
from wsantipattern.roles.reset import is_made
from wsantipattern.roles.staleness import Divergence
from wsantipattern.roles.words import any_of, split


class Drops:
    """The dropped copies of one module."""

    def __init__(
        self,
        module: Module,
        knowledge: Knowledge,
        origins: Origins,
        containers: Containers,
        membership: Membership,
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.origins = origins
        self.containers = containers
        self.membership = membership

    def refilled(self, frame: Frame, divergence: Divergence, mark: Mark, storage: Storage) -> t.Extent | None:
        """Where a function drops, for a divergence, what it then fills with the items that a tracker does not hold."""
        dropped: dict[Place, t.Extent] = {}
        for step in frame.function.cfg.steps:
            if self._hangs(frame, step, divergence):
                for place in self._dropped(frame, step):
                    if not place.starts_with(storage.place) and not storage.place.starts_with(place):
                        dropped.setdefault(place, step.extent)
        if not dropped:
            return None
        for level, at in _levels(frame, mark):
            for step in level.function.cfg.steps:
                if step is at:
                    continue
                found = next((place for place in self._filled(level, step) if place in dropped), None)
                if found is not None and self._is_let_pass(level, step, at, storage):
                    return dropped[found]
        return None

    def _hangs(self, frame: Frame, step: Step, divergence: Divergence) -> bool:
        """Whether a step is only passed where the copy has diverged."""
        if step.kind not in ("call", "assign"):
            return False
        for fact in frame.function.cfg.known_at(step):
            if divergence.labels is not None and fact.step is divergence.step:
                return ("true" if fact.holds else "false") in divergence.labels
            if divergence.decides(fact.term, self.module) is fact.holds:
                return True
        return False

    def _dropped(self, frame: Frame, step: Step) -> Iterator[Place]:
        """The lasting places that a step empties, itself or in a function of the file."""
        call, store = step.call if step.kind == "call" else None, step.store
        if store is not None and step.target is not None and store.op is None and not store.declares:
            if step.target.path and self._is_empty(store.value):
                yield from self._lasting(frame, store.target)
            return
        if call is None:
            return
        callee = self.containers.run(frame, call)
        if callee is not None:
            if not frame.runs(callee) and frame.level < DEPTH and not call.constructs:
                inner = self.containers.into(frame, callee, call)
                for below in callee.cfg.steps:
                    yield from self._dropped(inner, below)
            return
        words = self.knowledge.names("words", "resetting")
        if call.receiver is None:
            # A setter of a component's state: `setRows([])`.
            if (
                isinstance(call.callee, t.Ref)
                and len(call.arguments) == 1
                and self._is_empty(call.arguments[0])
            ):
                yield call.callee.place
        elif call.method in self.containers.known("clears") or any_of(split(call.method), words):
            yield from self._lasting(frame, call.receiver)
        elif (self.module.canonical(call.callee) or "") in self.containers.known("clears_of"):
            yield from self._lasting(frame, call.argument(0))

    def _lasting(self, frame: Frame, term: t.Term | None) -> Iterator[Place]:
        for storage in self.containers.of(frame, term):
            root = storage.place.root
            if storage.place.path or root.kind == "parameter" or root.scope is not frame.first.function:
                yield storage.place

    def _filled(self, frame: Frame, step: Step) -> Iterator[Place]:
        """The places to which a step gives something of a batch, itself or in a function of the file."""
        call, store = step.call if step.kind == "call" else None, step.store
        if store is not None and step.target is not None and step.target.path:
            if not self._is_of_batch(frame, store.value):
                return
            for storage in self.containers.of(frame, store.target):
                yield storage.place
                parent = storage.place.parent
                if parent is not None:
                    yield parent
        if call is None:
            return
        callee = self.containers.run(frame, call)
        if callee is not None:
            if not frame.runs(callee) and frame.level < DEPTH and not call.constructs:
                inner = self.containers.into(frame, callee, call)
                for below in callee.cfg.steps:
                    yield from self._filled(inner, below)
        elif not any(self._is_of_batch(frame, argument) for argument in call.arguments):
            return
        elif call.receiver is not None:
            yield from (storage.place for storage in self.containers.of(frame, call.receiver))
        elif isinstance(call.callee, t.Ref):
            yield call.callee.place

    def _is_of_batch(self, frame: Frame, value: t.Term) -> bool:
        return any(leaf.loops or leaf.kind == "reply" for leaf in self.origins.of(frame, value))

    def _is_empty(self, value: t.Term) -> bool:
        """An empty literal, or a container made without content."""
        match value:
            case t.Record():
                return not value.entries
            case t.Sequence():
                return not value.elements
            case t.Call():
                name = self.module.canonical(value.callee) or ""
                is_container = is_made(value) or name in self.containers.known("copies")
                return is_container and all(isinstance(a, t.Constant) for a in value.arguments)
            case _:
                return False

    def _is_let_pass(self, frame: Frame, step: Step, at: Step, storage: Storage) -> bool:
        """Whether a step is only passed for an item that the tracker did not hold."""
        for fact in frame.function.cfg.known_at(step):
            if at.call is not None and at.call in fact.term.walk():
                return True
            for condition, holds in implied(fact.term, fact.holds, self.module):
                if at.call is not None and at.call in condition.walk():
                    return True
                asked = self.membership.asked(frame, condition, not holds)
                if any(one.place == storage.place for one in asked):
                    return True
        return False


def _levels(frame: Frame, mark: Mark) -> Iterator[tuple[Frame, Step]]:
    """The functions that a mark lies in, from the outermost, each with the step that marks or calls the next."""
    yield frame, mark.step
    while mark.within is not None:
        inner, mark = mark.within
        yield inner, mark.step

"""Builds the control-flow graph of a function from its statements: the one builder for three languages.

Every atomic condition becomes a test of its own. `finally` bodies lie on every edge that leaves; deferred bodies
(Go's `defer`, promise chains that nobody awaits) run on the way out if they were registered. Raise edges leave
suspensions anywhere and calls inside a `try`; they go to the nearest handler, through the `finally` bodies between.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import TYPE_CHECKING, Literal

from wsantipattern.model import term as t
from wsantipattern.model.cfg import Cfg, Edge, Label, Step, StepKind
from wsantipattern.record import record

if TYPE_CHECKING:
    from wsantipattern.model.module import Function
    from wsantipattern.model.place import Place

Exit = Literal["return", "raise", "break", "continue"]

STEP_LIMIT = 40_000
"""Steps of one graph; a function with more is cut off and its graph marked incomplete."""


@record(slots=True, eq=False)
class _Loop:
    label: str | None
    break_to: Step
    continue_to: Step


@record(slots=True, eq=False)
class _Breakable:
    """A switch, or a labelled block (which only its own label leaves)."""

    label: str | None
    break_to: Step
    labelled_only: bool = False


@record(slots=True, eq=False)
class _Final:
    body: list[t.Statement]
    context: t.Term | None = None
    """The context of a `with`, whose end is one release step instead of a body."""
    copies: dict[tuple[Exit, str | None], Step] = field(default_factory=dict)


@record(slots=True, eq=False)
class _Catch:
    dispatch: Step


@record(slots=True, eq=False)
class _Inline:
    """A region: `return` inside it ends here, or, where the region is a condition, goes on by what it returns."""

    end: Step
    on_true: Step | None = None
    on_false: Step | None = None


_MANY = 16
"""Edges of a step from which on a set tells sooner whether one is there already: a `select` may have thousands."""

_Frame = _Loop | _Breakable | _Final | _Catch | _Inline


@record(slots=True, eq=False)
class _Deferred:
    flag: int
    body: list[t.Statement]
    certain: bool
    last_first: bool


def _looks_to_failure(frame: _Frame) -> bool:
    """Whether a frame shows that something in it is thought to fail. A `with` is there for its end, not for that."""
    return isinstance(frame, _Catch) or (isinstance(frame, _Final) and frame.context is None)


def build(function: Function) -> Cfg:
    """The finished graph of `function`."""
    return _Builder(function).run()


class _Builder:
    def __init__(self, function: Function) -> None:
        self.function = function
        self.raises = function.module.raises
        self.steps: list[Step] = []
        self.frames: list[_Frame] = []
        self.deferred: list[_Deferred] = []
        self.branches = 0
        self.left = False
        self.cleanup = False
        self.incomplete = False
        self.targets: set[Step] = set()
        self.wide: dict[Step, set[tuple[Step, Label]]] = {}
        self.entry = self._node("entry", (function.extent[0], function.extent[0]))
        self.current: Step | None = self.entry
        end = (max(function.extent[1] - 1, function.extent[0]), function.extent[1])
        self.exit = self._node("exit", end)
        self.raised = self._node("raised", end)
        self.returning = self._node("join", end)
        self.raising = self._node("join", end)

    def run(self) -> Cfg:
        self.statements(self.function.body)
        self._link(self.returning)
        for start, goal in ((self.returning, self.exit), (self.raising, self.raised)):
            self._way_out(start, goal)
        cfg = Cfg(
            self.function,
            _finish(self.steps, self.entry, self.exit, self.raised),
            self.entry,
            self.exit,
            self.raised,
        )
        cfg.incomplete = self.incomplete
        return cfg

    def _way_out(self, start: Step, goal: Step) -> None:
        """The deferred bodies that lie between leaving the statements and the end of the function."""
        self.current = start
        self.frames = []
        pending = [d for d in reversed(self.deferred) if d.last_first] + [
            d for d in self.deferred if not d.last_first
        ]
        for deferred in pending:
            after = self._node("join", goal.extent)
            # Its own failure, or its own return, ends only the deferred body.
            self.frames = [_Catch(after), _Inline(after)]
            self.cleanup = deferred.last_first
            if deferred.certain:
                self.statements(deferred.body)
            else:
                asked = self._step("registered", goal.extent)
                if asked is None:
                    return
                asked.flag = deferred.flag
                self._edge(asked, "false", after)
                self.current = None
                inside = self._node("join", goal.extent)
                self._edge(asked, "true", inside)
                self.current = inside
                self.statements(deferred.body)
            self.cleanup = False
            self._link(after)
            self.current = after
        self.frames = []
        self._link(goal)

    # -- nodes and edges -------------------------------------------------------------------------

    def _node(self, kind: StepKind, extent: t.Extent, term: t.Term | None = None) -> Step:
        step = Step(len(self.steps), kind, extent, term, is_cleanup=self.cleanup)
        self.steps.append(step)
        return step

    def _edge(self, source: Step, label: Label, target: Step, back: bool = False) -> None:
        self.targets.add(target)
        if len(source.edges) < _MANY:
            for known in source.edges:
                if known.target is target and known.label == label:
                    return
        else:
            wide = self.wide.get(source)
            if wide is None:
                wide = self.wide[source] = {(known.target, known.label) for known in source.edges}
            if (target, label) in wide:
                return
            wide.add((target, label))
        source.edges.append(Edge(label, target, back))

    def _link(self, target: Step, back: bool = False) -> None:
        if self.current is not None:
            self._edge(self.current, "next", target, back)

    def _step(
        self,
        kind: StepKind,
        extent: t.Extent,
        term: t.Term | None = None,
        statement: t.Statement | None = None,
    ) -> Step | None:
        """A step after the current one, which becomes current; None in unreachable code."""
        if self.current is None:
            return None
        if len(self.steps) > STEP_LIMIT:
            self.incomplete = True
            self.current = None
            return None
        step = self._node(kind, extent, term)
        step.statement = statement
        self._link(step)
        self.current = step
        return step

    def _may_raise(self, step: Step | None, anywhere: bool = False) -> None:
        """The raise edge of a step: to the nearest handler; out of the function only for suspensions.

        A clean-up that fails itself is not modelled: every `finally` of two statements would have a way past the second.
        """
        if step is None or not self.raises or self.cleanup:
            return
        if anywhere or any(_looks_to_failure(frame) for frame in self.frames):
            self._edge(step, "raise", self._route(len(self.frames), "raise"))

    def _route(self, depth: int, exit_: Exit, label: str | None = None) -> Step:
        """Where control goes that leaves by `exit_` from inside the first `depth` frames, finally bodies included."""
        while depth > 0:
            depth -= 1
            frame = self.frames[depth]
            if isinstance(frame, _Final):
                return self._through(frame, depth, exit_, label)
            if exit_ == "raise" and isinstance(frame, _Catch):
                return frame.dispatch
            if exit_ == "return" and isinstance(frame, _Inline):
                return frame.end
            if exit_ in ("break", "continue") and isinstance(frame, _Inline):
                break
            if exit_ == "break" and isinstance(frame, (_Loop, _Breakable)):
                if (
                    frame.label == label
                    if label is not None
                    else not (isinstance(frame, _Breakable) and frame.labelled_only)
                ):
                    return frame.break_to
            elif exit_ == "continue" and isinstance(frame, _Loop) and (label is None or frame.label == label):
                return frame.continue_to
        self.left = True
        return self.raising if exit_ == "raise" else self.returning

    def _through(self, final: _Final, depth: int, exit_: Exit, label: str | None) -> Step:
        """The copy of a finally body for this exit, continuing outwards; made once for each exit."""
        known = final.copies.get((exit_, label))
        if known is not None:
            return known
        extent = final.body[0].extent if final.body else (final.context.extent if final.context else (0, 0))
        entry = self._node("join", extent)
        final.copies[(exit_, label)] = entry
        onward = self._route(depth, exit_, label)
        current, frames = self.current, self.frames
        self.current, self.frames = entry, self.frames[:depth]
        self._final_body(final)
        self._link(onward)
        self.current, self.frames = current, frames
        return entry

    def _final_body(self, final: _Final) -> None:
        before, self.cleanup = self.cleanup, True
        if final.context is not None:
            self._step("release", final.context.extent, final.context)
        self.statements(final.body)
        self.cleanup = before

    # -- statements ------------------------------------------------------------------------------

    def statements(self, body: Iterable[t.Statement]) -> None:
        for statement in body:
            self.statement(statement)

    def statement(self, s: t.Statement) -> None:
        if self.current is None:
            return
        match s:
            case t.Evaluate():
                self.value(s.term)
            case t.If():
                self._if(s)
            case t.While():
                self._while(s)
            case t.ForEach():
                self._for_each(s)
            case t.Switch():
                self._select(s) if s.kind == "select" else self._switch(s)
            case t.Try():
                self._try(s)
            case t.With():
                self._with(s)
            case t.Return(value=t.Region() as region) if not region.settles:
                self._returned(region.extent, region.body)
            case t.Return() if (ran := self._ran(s.value)) is not None:
                self._returned(s.extent, ran.body)
            case t.Return() if (asked := self._asking()) is not None:
                assert asked.on_true is not None
                assert asked.on_false is not None
                if s.value is not None:
                    self.branch(s.value, asked.on_true, asked.on_false)
                self._link(asked.on_false)
                self.current = None
            case t.Return():
                if s.value is not None:
                    self.value(s.value)
                if not any(isinstance(frame, _Inline) for frame in self.frames):
                    self._step("return", s.extent, s.value, s)
                self._leave("return")
            case t.Raise():
                if s.value is not None:
                    self.value(s.value)
                step = self._step("raise", s.extent, s.value, s)
                if step is not None:
                    self._edge(step, "raise", self._route(len(self.frames), "raise"))
                self.current = None
            case t.Halt():
                self.value(s.term)
                self._step("halt", s.extent, s.term, s)
                self.current = None
            case t.Break():
                self._leave("break", s.label)
            case t.Continue():
                self._leave("continue", s.label)
            case t.Block():
                self._block(s)
            case t.Defer():
                self._defer(s.body, s.extent, last_first=True)
            case t.Spawn():
                if s.term is not None:
                    for child in self._adopt(s.term):
                        self.value(child)
                    self._step("spawn", s.extent, s.term, s)
                else:
                    self._defer(s.body, s.extent, last_first=False)
            case t.Goto():
                self.incomplete = True
                self.current = None

    def _asking(self) -> _Inline | None:
        """The innermost region that `return` leaves, where it is a condition and nothing is to be done on the way out."""
        for frame in reversed(self.frames):
            if isinstance(frame, _Final):
                break
            if isinstance(frame, _Inline):
                return frame if frame.on_true is not None else None
        return None

    def _leave(self, exit_: Exit, label: str | None = None) -> None:
        if self.current is not None:
            target = self._route(len(self.frames), exit_, label)
            self._link(target, back=exit_ == "continue")
        self.current = None

    def _if(self, s: t.If) -> None:
        then, otherwise, after = (self._node("join", s.extent) for _ in range(3))
        self.branch(s.test, then, otherwise)
        self.branches += 1
        for start, body in ((then, s.then), (otherwise, s.otherwise)):
            self.current = start if self._entered(start) else None
            self.statements(body)
            self._link(after)
        self.branches -= 1
        self.current = after if self._entered(after) else None

    def _entered(self, step: Step) -> bool:
        """Whether any edge leads to a join that was just made."""
        return step in self.targets

    def _while(self, s: t.While) -> None:
        head, body, update, done, after = (self._node("join", s.extent) for _ in range(5))
        self._link(body if s.post_test else head)
        self.branches += 1
        self.frames.append(_Loop(s.label, after, update))
        self.current = body
        if not s.post_test:
            self.current = head
            self._loop_test(s.test, body, done)
            self.current = body if self._entered(body) else None
        self.statements(s.body)
        self._link(update)
        self.current = update
        self.statements(s.update)
        if s.post_test:
            self._link(head)
            self.current = head
            self._loop_test(s.test, body, done)
        else:
            self._link(head, back=True)
        self.frames.pop()
        self.current = done
        self.statements(s.otherwise)
        self._link(after)
        self.branches -= 1
        self.current = after

    def _loop_test(self, test: t.Term | None, body: Step, done: Step) -> None:
        if test is None:
            self._link(body)
        else:
            self.branch(test, body, done)

    def _for_each(self, s: t.ForEach) -> None:
        self.value(s.iterable)
        head = self._step("iterate", s.extent, s.iterable, s)
        if head is None:
            return
        if s.suspends:
            self._may_raise(head, anywhere=True)
        body, done, after = (self._node("join", s.extent) for _ in range(3))
        self._edge(head, "true", body)
        if not s.suspends and _has_one(s.iterable):
            # `for (const kept of [this.seen, this.rows]) kept.clear()`: the body runs at least once.
            head = self._node("iterate", s.extent, s.iterable)
            head.statement = s
            self._edge(head, "true", body)
        self._edge(head, "false", done)
        self.branches += 1
        self.frames.append(_Loop(s.label, after, head))
        self.current = body
        for target in s.targets:
            element = t.Element(target.extent, s.iterable)
            store = t.Store(target.extent, target, element, declares=True)
            target.parent, element.parent = store, store
            self._assign(store)
        self.statements(s.body)
        self._link(head, back=True)
        self.frames.pop()
        self.current = done
        self.statements(s.otherwise)
        self._link(after)
        self.branches -= 1
        self.current = after

    def _switch(self, s: t.Switch) -> None:
        if s.subject is not None:
            self.value(s.subject)
        after = self._node("join", s.extent)
        bodies = [self._node("join", case.extent) for case in s.cases]
        self.branches += 1
        default: Step | None = None
        for case, body in zip(s.cases, bodies, strict=True):
            if not case.tests and case.guard is None:
                default = body
                continue
            miss, hit = self._node("join", case.extent), self._node("join", case.extent)
            for test in case.tests:
                other = self._node("join", case.extent)
                if s.subject is not None and not case.pattern:
                    condition = t.Binary(case.extent, "==", s.subject, test)
                    self._test(condition, hit, other, evaluate=[test])
                elif s.subject is None and not s.fragment:
                    self.branch(test, hit, other)
                else:
                    self._test(test, hit, other, evaluate=list(test.children()))
                self.current = other
            self._link(miss if case.tests else hit)
            self.current = hit
            self.statements(case.before)
            if case.guard is not None:
                self.branch(case.guard, body, miss)
            else:
                self._link(body)
            self.current = miss if self._entered(miss) else None
        self._link(default or after)
        self.frames.append(_Breakable(s.label, after, labelled_only=not s.breakable))
        for index, (case, body) in enumerate(zip(s.cases, bodies, strict=True)):
            self.current = body
            self.statements(case.body)
            self._link(bodies[index + 1] if case.falls_through and index + 1 < len(bodies) else after)
        self.frames.pop()
        self.branches -= 1
        self.current = after

    def _select(self, s: t.Switch) -> None:
        head = self._step("select", s.extent, None, s)
        after = self._node("join", s.extent)
        self.frames.append(_Breakable(s.label, after))
        self.branches += 1
        for case in s.cases:
            self.current = self._node("join", case.extent)
            if head is not None:
                self._edge(head, "next", self.current)
            self.statements(case.before)
            self.statements(case.body)
            self._link(after)
        self.branches -= 1
        self.frames.pop()
        self.current = after

    def _try(self, s: t.Try) -> None:
        after = self._node("join", s.extent)
        final = _Final(s.final) if s.final else None
        if final is not None:
            self.frames.append(final)
        dispatch = self._node("join", s.extent)
        self.branches += 1
        if s.handlers:
            self.frames.append(_Catch(dispatch))
        self.statements(s.body)
        if s.handlers:
            self.frames.pop()
        self.statements(s.otherwise)
        self._link(after)
        caught = False
        for handler in s.handlers:
            self.current = self._node("handler", handler.extent)
            self.current.statement = s
            self._edge(dispatch, "next", self.current)
            if handler.target is not None:
                store = t.Store(handler.extent, handler.target, t.Several(handler.extent), declares=True)
                handler.target.parent = store
                self._assign(store)
            self.statements(handler.body)
            self._link(after)
            caught = caught or handler.catches_all
        if s.handlers and not caught:
            self._edge(dispatch, "raise", self._route(len(self.frames), "raise"))
        self.branches -= 1
        if final is not None:
            self.frames.pop()
        self.current = after if self._entered(after) else None
        if final is not None:
            self._final_body(final)

    def _with(self, s: t.With) -> None:
        after = self._node("join", s.extent)
        for index, (context, target) in enumerate(s.items):
            self.value(context)
            if s.suspends:
                step = self._step("suspend", context.extent, t.Suspend(context.extent, "await", context))
                self._may_raise(step, anywhere=True)
            if s.swallows and index == 0:
                self.frames.append(_Catch(after))
            if target is not None:
                store = t.Store(target.extent, target, context, declares=True)
                target.parent = store
                self._assign(store)
            self.frames.append(_Final([], context))
        self.statements(s.body)
        for context, _ in reversed(s.items):
            self.frames.pop()
            self._step("release", context.extent, context)
        if s.swallows and s.items:
            self.frames.pop()
        self._link(after)
        self.current = after if self._entered(after) else None

    def _block(self, s: t.Block) -> None:
        if s.label is None:
            self.statements(s.body)
            return
        after = self._node("join", s.extent)
        self.frames.append(_Breakable(s.label, after, labelled_only=True))
        self.statements(s.body)
        self.frames.pop()
        self._link(after)
        self.current = after if self._entered(after) else None

    def _defer(self, body: list[t.Statement], extent: t.Extent, *, last_first: bool) -> None:
        flag = len(self.deferred) + 1
        # Nothing can have left before this point: on every way out the body has been registered.
        certain = not self.branches and not self.frames and not self.left
        step = self._step("defer", extent)
        if step is not None:
            step.flag = flag
            self.deferred.append(_Deferred(flag, body, certain, last_first))

    # -- values ----------------------------------------------------------------------------------

    def _adopt(self, term: t.Term) -> list[t.Term]:
        """The operands of a term, with the term as their parent."""
        children = list(term.children())
        for child in children:
            child.parent = term
        return children

    def value(self, term: t.Term) -> None:
        """The steps of evaluating a term."""
        if self.current is None:
            return
        match term:
            case t.Constant():
                pass
            case t.Ref():
                if term.key is not None or term.guard is not None:
                    for child in self._adopt(term):
                        self.value(child)
            case t.Call() | t.Suspend() if (ran := self._ran(term)) is not None:
                self._inline(term.extent, ran.body)
            case t.Call():
                self._call(term)
            case t.Store():
                self._store(term)
            case t.Suspend():
                for child in self._adopt(term):
                    self.value(child)
                step = self._step("suspend", term.extent, term)
                resumed = term.op == "yield" and self.function.is_resumed
                if term.op != "receive" and not resumed and not self._never_rejects(term.value):
                    self._may_raise(step, anywhere=True)
            case t.Logic() | t.Not():
                done = self._node("join", term.extent)
                self.branches += 1
                self._short_circuit(term, done)
                self.branches -= 1
                self.current = done if self._entered(done) else None
            case t.Choice():
                self._choice(term)
            case t.Closure():
                if not term.function.is_called_once:
                    self._step("closure", term.extent, term)
            case t.Delete():
                for child in self._adopt(term):
                    self.value(child)
                term.target.parent = term
                step = self._step("delete", term.extent, term)
                if step is not None and isinstance(term.target, t.Ref):
                    step.target = term.target.place
            case t.Region():
                self._inline(term.extent, term.body)
            case t.Result():
                for child in self._adopt(term):
                    self.value(child)
                if term.index:
                    term.call.parent = term.call.parent or term
            case _:
                for child in self._adopt(term):
                    self.value(child)

    def _never_rejects(self, term: t.Term | None, depth: int = 5) -> bool:
        """Whether what is awaited cannot fail: a builtin that never does, or a promise that nothing rejects."""
        if depth <= 0:
            return False
        if isinstance(term, t.Ref):
            return self._is_only_resolved(term.place, depth)
        if not isinstance(term, t.Call):
            return False
        executor = term.arguments[0] if term.constructs and len(term.arguments) == 1 else None
        if isinstance(executor, t.Region) and executor.settles:
            # `new Promise(resolve => setTimeout(resolve, ms))`: the executor does not even take `reject`.
            return len(executor.settles) == 1
        if term.total:
            return True
        callee = self.function.module.resolve(term)
        if callee is None or callee is self.function or callee.is_async or not callee.body:
            return False
        return self._gives_no_rejection(callee.body, depth - 1)

    def _gives_no_rejection(self, body: list[t.Statement], depth: int) -> bool:
        """Whether statements end by returning what cannot fail. What fails before is raised by the call itself."""
        *before, last = body
        if not isinstance(last, t.Return) or not all(isinstance(s, t.Evaluate) for s in before):
            return False
        value = last.value
        if isinstance(value, t.Region) and not value.settles:
            return bool(value.body) and self._gives_no_rejection(value.body, depth)
        return self._never_rejects(value, depth)

    def _is_only_resolved(self, place: Place, depth: int) -> bool:
        """Whether a variable holds a promise that nothing rejects, or a deferred one in a file that rejects none."""
        made = place.root.initial if place.root.constant else None
        if not isinstance(made, t.Call):
            return False
        if not place.path:
            return self._never_rejects(made, depth - 1)
        module = self.function.module
        return (
            made.constructs
            and place.path == ("promise",)
            and bool(module.functions_mentioning("resolve"))
            and not module.functions_mentioning("reject")
        )

    def _call(self, call: t.Call) -> None:
        done: Step | None = None
        children = self._adopt(call)
        if call.guard is not None:
            children = children[1:]
            call.guard.parent = call
            happens, done = self._node("join", call.extent), self._node("join", call.extent)
            self.branch(call.guard, happens, done)
            self.current = happens
            self.branches += 1
        for child in children:
            self.value(child)
        step = self._step("call", call.extent, call)
        if not call.total and not isinstance(call.parent, t.Suspend):
            # What an await gives up on is the suspension, which raises for both.
            self._may_raise(step)
        if done is not None:
            self.branches -= 1
            self._link(done)
            self.current = done

    def _ran(self, term: t.Term | None) -> Function | None:
        """The local function that a call (or the await of one) runs, where the call stands for its body."""
        call, is_async = term, False
        if isinstance(term, t.Suspend) and term.op == "await":
            call, is_async = term.value, True
        if not isinstance(call, t.Call) or call.arguments or not isinstance(call.callee, t.Ref):
            return None
        place = call.callee.place
        if place.path or place.root.kind not in ("local", "function"):
            return None
        function = place.root.function
        if function is None or function.is_async != is_async or not function.is_called_once:
            return None
        if call is not term:
            call.parent = term
        call.callee.parent = call
        return function

    def _store(self, store: t.Store) -> None:
        store.target.parent = store
        if isinstance(store.value, t.Closure) and store.value.function.is_called_once:
            return
        if store.op in ("or", "and", "??"):
            for child in self._adopt(store.target):
                self.value(child)
            write, done = self._node("join", store.extent), self._node("join", store.extent)
            on_true, on_false = (write, done) if store.op == "and" else (done, write)
            self._test(store.target, on_true, on_false)
            self.current = write
            store.value.parent = store
            self.branches += 1
            self.value(store.value)
            self.branches -= 1
            self._assign(store)
            self._link(done)
            self.current = done
            return
        for child in self._adopt(store):
            self.value(child)
        self._assign(store)

    def _assign(self, store: t.Store) -> None:
        targets = store.target.elements if isinstance(store.target, t.Sequence) else [store.target]
        for target in targets:
            step = self._step("assign", store.extent, store)
            if step is not None and isinstance(target, t.Ref):
                step.target = target.place

    def _short_circuit(self, term: t.Term, done: Step) -> None:
        """Evaluates for the value; control reaches `done` on every way."""
        if isinstance(term, t.Not):
            self._adopt(term)
            self._short_circuit(term.operand, done)
        elif isinstance(term, t.Logic):
            self._adopt(term)
            right = self._node("join", term.right.extent)
            if term.op == "and":
                self.branch(term.left, right, done)
            elif term.op == "or":
                self.branch(term.left, done, right)
            else:
                self.value(term.left)
                null = t.Constant(term.left.extent, "null", None)
                self._test(t.Binary(term.left.extent, "!=", term.left, null), done, right)
            self.current = right if self._entered(right) else None
            self._short_circuit(term.right, done)
        else:
            self.value(term)
            self._link(done)
            self.current = None

    def _choice(self, term: t.Choice) -> None:
        self._adopt(term)
        then, otherwise, done = (self._node("join", term.extent) for _ in range(3))
        self.branch(term.test, then, otherwise)
        self.branches += 1
        for start, value in ((then, term.then), (otherwise, term.otherwise)):
            self.current = start if self._entered(start) else None
            self.value(value)
            self._link(done)
        self.branches -= 1
        self.current = done if self._entered(done) else None

    def _inline(self, extent: t.Extent, body: list[t.Statement]) -> None:
        end = self._node("join", extent)
        self.frames.append(_Inline(end))
        self.branches += 1
        self.statements(body)
        self.branches -= 1
        self.frames.pop()
        self._link(end)
        self.current = end if self._entered(end) else None

    def _returned(self, extent: t.Extent, body: list[t.Statement]) -> None:
        """`return (() => { body })();`: what the body returns is what is returned."""
        self.branches += 1
        self.statements(body)
        self.branches -= 1
        self.statement(t.Return(extent, None))

    # -- conditions ------------------------------------------------------------------------------

    def branch(self, term: t.Term, on_true: Step, on_false: Step) -> None:
        """Evaluates a condition; control goes to one of two joins, through a test for each atomic part."""
        if self.current is None:
            return
        match term:
            case t.Not():
                self._adopt(term)
                self.branch(term.operand, on_false, on_true)
            case t.Logic(op="and" | "or"):
                self._adopt(term)
                right = self._node("join", term.right.extent)
                if term.op == "and":
                    self.branch(term.left, right, on_false)
                else:
                    self.branch(term.left, on_true, right)
                self.current = right if self._entered(right) else None
                self.branches += 1
                self.branch(term.right, on_true, on_false)
                self.branches -= 1
            case t.Constant() if term.kind in ("bool", "null", "number"):
                self._link(on_true if term.value else on_false)
                self.current = None
            case t.Choice():
                self._adopt(term)
                then, otherwise = self._node("join", term.extent), self._node("join", term.extent)
                self.branch(term.test, then, otherwise)
                for start, value in ((then, term.then), (otherwise, term.otherwise)):
                    self.current = start if self._entered(start) else None
                    self.branch(value, on_true, on_false)
            case t.Several() if term.operands:
                *before, last = self._adopt(term)
                for operand in before:
                    self.value(operand)
                self.branch(last, on_true, on_false)
            case t.Store():
                self.value(term)
                self._test(term, on_true, on_false)
            case t.Call() | t.Suspend() if (ran := self._ran(term)) is not None:
                end = self._node("join", term.extent)
                self.frames.append(_Inline(end, on_true, on_false))
                self.branches += 1
                self.statements(ran.body)
                self.branches -= 1
                self.frames.pop()
                self._link(on_false)
                self.current = end if self._entered(end) else None
                if self.current is not None:
                    self._test(term, on_true, on_false)
            case t.Call() | t.Suspend() | t.Closure() | t.Region():
                self.value(term)
                self._test(term, on_true, on_false)
            case _:
                self._test(term, on_true, on_false, evaluate=self._adopt(term))

    def _test(self, term: t.Term, on_true: Step, on_false: Step, evaluate: Iterable[t.Term] = ()) -> None:
        for operand in evaluate:
            self.value(operand)
        step = self._step("test", term.extent, term)
        if step is not None:
            self._edge(step, "true", on_true)
            self._edge(step, "false", on_false)
        self.current = None


def _finish(steps: list[Step], entry: Step, *ends: Step) -> list[Step]:
    """Takes out the joins that have one successor and the steps nothing reaches, and numbers the rest."""
    skip: dict[Step, Edge] = {}
    for step in steps:
        if step.kind == "join" and len(step.edges) == 1:
            skip[step] = step.edges[0]
    for step in steps:
        edges = step.edges
        if len(edges) == 1 and edges[0].target not in skip:
            continue
        step.edges = _onward(edges, skip)
    reached = {entry, *ends}
    todo = [entry]
    while todo:
        for edge in todo.pop().edges:
            if edge.target not in reached:
                reached.add(edge.target)
                todo.append(edge.target)
    kept = [entry]
    kept += [step for step in steps if step in reached and step is not entry and step not in ends]
    kept += [step for step in steps if step in ends and step is not entry]
    for index, step in enumerate(kept):
        step.index = index
    return kept


def _onward(edges: list[Edge], skip: dict[Step, Edge]) -> list[Edge]:
    """The edges to what lies behind the joins that are taken out; each target once for a label."""
    found: dict[tuple[Step, Label], Edge] = {}
    for edge in edges:
        target, label = edge.target, edge.label
        if target not in skip:
            found.setdefault((target, label), edge)
            continue
        back = edge.back
        seen: set[Step] = set()
        while target in skip and target not in seen:
            seen.add(target)
            over = skip[target]
            back = back or over.back
            if over.label == "raise" and label == "next":
                label = "raise"
            target = over.target
        if target not in seen:
            found.setdefault((target, label), Edge(label, target, back))
    return list(found.values())


def _has_one(iterable: t.Term) -> bool:
    """Whether a literal holds at least one element, whatever is spread into it."""
    return isinstance(iterable, t.Sequence) and any(not isinstance(e, t.Spread) for e in iterable.elements)

"""Lifetimes: how long what is added to a place stays there.

Whether a place outlives the message and the connection, and whether it is a queue or a buffer that is worked off.
"""

from __future__ import annotations

from collections.abc import Iterator

from wsantipattern.knowledge import Knowledge
from wsantipattern.model import term as t
from wsantipattern.model.cfg import Step
from wsantipattern.model.flow import returns
from wsantipattern.model.module import Function, Module, is_null
from wsantipattern.model.place import ELEMENT, Binding, Place
from wsantipattern.model.summary import callers
from wsantipattern.roles.birth import Births
from wsantipattern.roles.destination import Destinations
from wsantipattern.roles.event import Events
from wsantipattern.roles.holder import Found, Holder, Holders, alike
from wsantipattern.roles.message import Message, Messages
from wsantipattern.roles.renewal import is_emptied, is_empty
from wsantipattern.roles.socket import Sockets


class Lifetimes:
    """The lifetimes of the places of one module."""

    def __init__(
        self,
        module: Module,
        knowledge: Knowledge,
        events: Events,
        sockets: Sockets,
        messages: Messages,
        holders: Holders,
        destinations: Destinations,
    ) -> None:
        self.module = module
        self.knowledge = knowledge
        self.events = events
        self.sockets = sockets
        self.messages = messages
        self.invocations = messages.invocations
        self.holders = holders
        self.destinations = destinations
        self.births = Births(module, self.invocations)

    # -- beyond the message and the connection -----------------------------------------------------

    def outlives(self, kept: Holder, message: Message, function: Function, depth: int = 4) -> bool:
        """Whether what is kept is there for more than the message, and for more than one connection."""
        root = kept.root
        if isinstance(root, Found):
            return True
        if root.kind == "this":
            born = self._born(kept, message) if depth > 0 else []
            return not born or any(self.outlives(b, message, function, depth - 1) for b in born)
        if root.kind == "parameter":
            return self._given_lasting(kept, message, function, depth)
        if root.kind == "local" and root.scope is not None:
            return self._local_outlives(root, root.scope.host, message, function)
        return True

    def _begins(self, binding: Binding, scope: Function) -> set[Step]:
        """The steps that give a variable a value that is made without its old one."""
        return {
            step
            for step, store in scope.cfg.assignments
            if step.target == Place(binding)
            and store.op is None
            and not any(isinstance(p, t.Ref) and p.place.root is binding for p in store.value.walk())
        }

    def _is_connection(self, this: Binding) -> bool:
        """An object that a server makes for each connection ends with it."""
        socket = self.sockets.at(Place(this))
        return socket is not None and socket.evidence.is_strong

    def _given_lasting(self, kept: Holder, message: Message, function: Function, depth: int) -> bool:
        root = kept.root
        assert isinstance(root, Binding)
        if self.messages.at(Place(root)) is not None:
            return False
        scope = root.scope
        if scope is None or root not in scope.parameters or depth <= 0:
            return True
        index = scope.parameters.index(root)
        verdicts: list[bool] = []
        for invocation in self.invocations.of(scope):
            handed = invocation.argument(index, root.name)
            # A field of what is handed on: `panel, ok := panels[id]`, or a new one that is put there.
            given = (
                self.holders.object_of(handed)
                if kept.path and handed is not None
                else self.holders.of(handed)
            )
            if given is not None:
                verdicts.append(
                    self.outlives(Holder(given.root, given.path + kept.path), message, function, depth - 1)
                )
        for _, _, value in self.invocations.uses(scope):
            call = value.parent
            if isinstance(call, t.Call) and call.method in self.knowledge.names("message", "iterates"):
                given = self.holders.of(call.receiver)
                if given is not None:
                    verdicts.append(self.outlives(given, message, function, depth - 1))
        return not verdicts or any(verdicts)

    def _local_outlives(
        self, binding: Binding, scope: Function, message: Message, function: Function
    ) -> bool:
        if any(p.scope is not None and p.scope.host.encloses(scope) for p in message.parameters):
            # Begun anew in each run, and each run is one message.
            return False
        cfg = scope.cfg
        begins = self._begins(binding, scope)
        reads = [s for s in cfg.steps if s.term is not None and any(s.term is r for r in message.reads)]
        if not reads and function is scope:
            # A function that is called here takes it in.
            reads = [s for s in cfg.steps if s.call is not None and self._reads_in(s.call, message, 2)]
        if not reads and function is scope and scope.kind != "top":
            # The message was taken in before the run began: only a wait in the run brings another one.
            reads = [s for s in cfg.steps if s.suspends]
            return any(read in cfg.reachable(read, avoiding=begins) for read in reads)
        return not reads or any(read in cfg.reachable(read, avoiding=begins) for read in reads)

    def _reads_in(self, call: t.Call, message: Message, depth: int) -> bool:
        """Whether a function of the file that a call runs takes a message in."""
        callee = self.invocations.resolve(call)
        if callee is None or callee.is_inlined or callee.is_generator:
            return False
        return any(
            (s.term is not None and any(s.term is r for r in message.reads))
            or (depth > 0 and s.call is not None and self._reads_in(s.call, message, depth - 1))
            for s in callee.cfg.steps
        )

    def ends_with_link(self, kept: Holder, message: Message, depth: int = 3) -> bool:
        """Whether what is kept lives as long as one connection, which does not come back by itself."""
        if message.library is not None and (message.library.reconnects or message.library.replays):
            return False
        root = kept.root
        if isinstance(root, Found):
            return False
        if kept.path and self._is_beside_link(kept, message):
            return True
        if root.kind == "this":
            born = self._born(kept, message) if depth > 0 else []
            return self._is_connection(root) or (
                bool(born) and all(self.ends_with_link(b, message, depth - 1) for b in born)
            )
        if root.kind == "parameter" and depth > 0:
            given = [outer for _, _, outer in self.given(kept)]
            return bool(given) and all(
                outer is not None and self.ends_with_link(outer, message, depth - 1) for outer in given
            )
        if root.kind != "local" or root.scope is None:
            return False
        scope = root.scope.host
        cfg = scope.cfg
        begins = self._begins(root, scope)
        for parameter in scope.parameters:
            socket = self.sockets.at(Place(parameter))
            if socket is not None and socket.transport == message.transport:
                return socket.library is None or not socket.library.reconnects
        makes = [
            step
            for step, call in cfg.calls
            if (s := self.sockets.of(call)) is not None
            and s.evidence.is_strong
            and s.transport == message.transport
        ]
        loops = [
            step
            for step in cfg.of_kind("iterate")
            if isinstance(step.statement, t.ForEach)
            and isinstance(step.statement.iterable, t.Call)
            and any(step.statement.iterable is m.term for m in makes)
        ]
        makes = [*[m for m in makes if all(turn.term is not m.term for turn in loops)], *loops]
        if not makes:
            return self._is_of_one_loop(scope, begins, message)
        return not any(m in cfg.reachable(m, avoiding=begins) for m in makes)

    def is_made_with_link(self, kept: Holder, message: Message) -> bool:
        """Whether what is kept is an object that the run which makes the connection makes for it: a terminal, a player."""
        root = kept.root
        if not isinstance(root, Binding) or root.kind != "local" or root.scope is None or kept.path:
            return False
        made = root.initial
        return (
            isinstance(made, t.Call)
            and made.constructs
            and root.scope.host.kind != "top"
            and any(self.sockets.makes(call) for _, call in root.scope.host.cfg.calls)
            and self.ends_with_link(kept, message)
        )

    def is_handshake(self, kept: Holder, message: Message) -> bool:
        """Whether what is kept is an object made together with its connection, and the message the one that is read before
        whoever makes both hands the object out: `p := &Producer{conn: conn}; if err := p.probe(); ...; return p`."""
        owner = kept.root.owner if isinstance(kept.root, Binding) else None
        births = self.births.of(owner) if owner is not None and kept.path else []
        makers = {root.scope.host for root, _ in births if root.scope is not None}
        if not makers or not all(any(self.sockets.makes(c) for _, c in f.cfg.calls) for f in makers):
            return False
        readers = {self.module.function_at(read.extent[0]).host for read in message.reads}
        for reader in readers:
            steps = [s for s in reader.cfg.steps if any(s.term is read for read in message.reads)]
            if not steps or any(s in reader.cfg.reachable(s) for s in steps):
                return False
            calls = list(callers(reader))
            if not calls or any(f not in makers or step in f.cfg.reachable(step) for f, step in calls):
                return False
        return bool(readers)

    def _is_of_one_loop(self, scope: Function, begins: set[Step], message: Message) -> bool:
        """Whether a variable takes in what one loop over a connection that is there brings, and no loop around that one
        begins another: such a loop ends with its connection."""
        cfg = scope.cfg
        loops = [
            step
            for step in cfg.of_kind("iterate")
            if isinstance(step.statement, t.ForEach)
            and any(step.statement.iterable is read or step.term is read for read in message.reads)
        ]
        readers = {self.module.function_at(read.extent[0]).host for read in message.reads} - {scope}
        if any(self.sockets.makes(call) for reader in readers for _, call in reader.cfg.calls):
            return False  # What it loops over connects again by itself.
        return bool(loops) and not any(
            not (loop.statement.extent[0] <= step.extent[0] < loop.statement.extent[1])
            and loop in cfg.reachable(step, avoiding=begins)
            for loop in loops
            if loop.statement is not None
            for step in cfg.reachable(loop, avoiding=begins)
        )

    def _born(self, kept: Holder, message: Message) -> list[Holder]:
        """What a field of an object is for those who make the object in a variable, once for a connection or a message;
        nothing where objects that are made for a message are kept."""
        root = kept.root
        owner = root.owner if isinstance(root, Binding) else None
        found: dict[Holder, None] = {}
        for variable, step in self.births.of(owner) if owner is not None and kept.path else ():
            if self.holders.is_housed(owner) and self._is_for_message(variable, step, message):
                return []
            found[Holder(variable, kept.path)] = None
        return list(found)

    def _is_for_message(self, variable: Binding, step: Step, message: Message) -> bool:
        """Whether a variable is given its value when a message has come, not when the connection is made."""
        scope = variable.scope.host if variable.scope is not None else None
        if scope is None or any(
            p.scope is not None and p.scope.host.encloses(scope) for p in message.parameters
        ):
            return True
        cfg = scope.cfg
        if all(step is not s for s in cfg.steps):
            return True
        taken = [s for s in cfg.steps if s.term is not None and any(s.term is r for r in message.reads)]
        return any(cfg.reaches(s, step) for s in taken)

    def given(self, kept: Holder) -> Iterator[tuple[Function, Step, Holder | None]]:
        """The calls that give the parameter in which something is kept, and where it is kept there."""
        root = kept.root
        scope = root.scope if isinstance(root, Binding) and root.kind == "parameter" else None
        if scope is None or not isinstance(root, Binding) or root not in scope.parameters:
            return
        for invocation in self.invocations.of(scope):
            held = self.holders.of(invocation.argument(scope.parameters.index(root), root.name))
            outer = Holder(held.root, held.path + kept.path) if held is not None else None
            yield invocation.function, invocation.step, outer

    def _is_beside_link(self, kept: Holder, message: Message) -> bool:
        """Whether what is kept is a field of the object whose connection the message is read from, for the life of both.

        `entry.chunks.append(await entry.ws.receive())`, where nothing of the file gives `entry` another `ws`.
        """
        for read in message.reads:
            call = read.value if isinstance(read, t.Suspend) else read
            place = call.receiver_place if isinstance(call, t.Call) else None
            if isinstance(call, t.Ref):
                # `async for message in self.ws`
                place = call.place
            if place is None or place.root is not kept.root or not place.path or place.path == kept.path:
                continue
            if place.root.kind == "this" and self._is_given_once(place):
                return True
            if place.root.kind != "parameter":
                continue
            if not any(
                step.target is not None and step.target.path[-1:] == place.path[-1:]
                for function in self.module.functions_mentioning(place.name)
                for step, _ in function.cfg.assignments
            ):
                return True
        return False

    def _is_given_once(self, place: Place) -> bool:
        """Whether an object gets its connection from whoever makes it, and never another one."""
        given = False
        for function in self.module.functions_mentioning(place.name):
            for step, store in function.cfg.assignments:
                if step.target is None or step.target.path[-1:] != place.path[-1:] or is_null(store.value):
                    continue
                if step.target.root.kind == "this" and step.target.root is not place.root:
                    continue  # another class's own
                if step.target != place or function.kind != "constructor":
                    return False
                value = store.value
                if not (isinstance(value, t.Ref) and value.place.root in function.parameters):
                    return False
                given = True
        return given

    def is_shown(self, function: Function, step: Step, kept: Holder, term: t.Term, depth: int = 2) -> bool:
        """Whether what is kept is handed on whole and grows on: then a repeat is seen, and not only in a result."""
        cfg = function.cfg
        root = kept.root
        local = isinstance(root, Binding) and root.kind == "local" and root.scope is not None
        begins = self._begins(root, function) if local and isinstance(root, Binding) else set()
        asked = {
            id(part)
            for test in cfg.of_kind("test")
            for part in (test.term.walk() if test.term is not None else ())
        }
        for at, call in cfg.calls:
            if call is term or id(call) in asked or not self.hands_on(call, kept):
                continue
            if step in cfg.reachable(at, avoiding=begins):
                return True
        return depth > 0 and any(
            outer is not None and at.call is not None and self.is_shown(host, at, outer, at.call, depth - 1)
            for host, at, outer in self.given(kept)
        )

    # -- worked off --------------------------------------------------------------------------------

    def consumed(self, kept: Holder, is_text: bool) -> t.Extent | None:
        """Where something is taken out of a queue, or complete pieces are cut off a buffer: what is in it has not been
        shown."""
        for function in self.module.functions_mentioning(kept.name) if kept.name else ():
            drained = emptied = False
            answers = {id(value) for value, _ in returns(function) if value is not None}
            for step in function.cfg.steps:
                store, call = step.store, step.call
                if call is not None:
                    if self._takes_out(call, kept, id(call) in answers):
                        return step.extent
                    drained = drained or self.hands_on(call, kept) or self._goes_through(call, kept)
                    emptied = emptied or self._clears(call, kept)
                    helper = self.module.resolve(call) if not is_text and not emptied else None
                    if helper is not None and not call.arguments:
                        # `self.reset_buffers()`
                        emptied = any(self._clears(inner, kept) for _, inner in helper.cfg.calls)
                if step.kind == "suspend" and isinstance(step.term, t.Suspend) and step.term.op == "yield":
                    given = step.term.value.walk() if step.term.value is not None else ()
                    drained = drained or any(self._is(self.holders.of(part), kept) for part in given)
                if store is not None and step.target is not None and store.op is None:
                    where = self.holders.at(step.target) if step.target.path else Holder(step.target.root)
                    if self._is(where, kept) and self._cuts(store.value, kept):
                        return step.extent
                    if where is not None and where.parent is not None and is_emptied(step, self.knowledge):
                        emptied = emptied or self._is(where.parent, kept)  # `lines.length = 0`
                    if where is not None and (kept.within(where) or alike(kept, where)):
                        emptied = emptied or (is_empty(store.value, self.knowledge) and not store.declares)
                    drained = drained or (where != kept and self._is(self.holders.of(store.value), kept))
                if step.kind == "iterate" and self._is(self.holders.of(step.term), kept):
                    drained = True
                if step.kind == "delete" and step.target is not None:
                    where = self.holders.at(step.target)
                    emptied = emptied or (where is not None and (kept.within(where) or alike(kept, where)))
            if not is_text and drained and emptied:
                return function.name_extent
        return None

    def _goes_through(self, call: t.Call, kept: Holder) -> bool:
        """`batch.forEach((row) => ...)`."""
        each = self.knowledge.names("dedup", "each")
        return (
            call.method in each
            and call.receiver is not None
            and self._is(self.holders.of(call.receiver), kept)
        )

    def _clears(self, call: t.Call, kept: Holder) -> bool:
        clears = self.knowledge.names("accumulation", "clears")
        return call.method in clears and self._is(self.holders.of(call.receiver), kept)

    def _is(self, holder: Holder | None, kept: Holder) -> bool:
        """Whether a place is the one that is added to, as far as the file tells."""
        return holder is not None and (holder == kept or alike(holder, kept))

    def hands_on(self, call: t.Call, kept: Holder) -> bool:
        """Whether a call gets the whole of what is kept, or makes another whole of it."""
        if call.method in self.knowledge.names("message", "measures"):
            return False
        whole = [*call.arguments, *(value for _, value in call.keywords)]
        whole += [e for part in whole if isinstance(part, t.Sequence) for e in part.elements]
        if call.receiver is not None and call.method in self.knowledge.names("holder", "same"):
            whole.append(call.receiver)
        return any(self._is(self.holders.of(part), kept) for part in whole)

    def _takes_out(self, call: t.Call, kept: Holder, is_answer: bool) -> bool:
        """Whether a call takes an element out for use; `is_answer` says that the function returns what it gives."""
        if call.method == "copy" and len(call.arguments) == 2:
            # Go's `copy(queue, queue[1:])`
            return isinstance(call.arguments[1], t.Element) and all(
                (where := self.holders.of(a)) is not None and where.within(kept) for a in call.arguments
            )
        if call.method not in self.knowledge.names("accumulation", "takes") or call.receiver is None:
            return False
        # `lines.shift()` alone only keeps a log short; the element is what a queue is read for.
        used = call.parent
        while isinstance(used, t.Logic):
            used = used.parent
        return (used is not None or is_answer) and self._is(self.holders.of(call.receiver), kept)

    def _cuts(self, value: t.Term, kept: Holder) -> bool:
        """`buffer = buffer.slice(end)`, `buffer = lines.pop()`: the front has been dealt with."""
        if isinstance(value, t.Logic):
            return self._cuts(value.left, kept)
        if isinstance(value, t.Element) and isinstance(value.key, t.Several):
            start = value.key.operands[0] if value.key.operands else None
            if self._is_split_at(value, kept):
                return True
            if start is None or is_null(start) or _from_the_end(start):
                return False
            return self._is(self.holders.of(value.subject), kept)
        if isinstance(value, t.Ref) and value.place.path[-1:] == (ELEMENT,) and len(value.place.path) == 1:
            return self._is_split(value.place.root, kept)
        if not isinstance(value, t.Call):
            return False
        if value.method in self.knowledge.names("accumulation", "cuts"):
            first = value.argument(0)
            return (
                first is not None
                and not _from_the_end(first)
                and self._is(self.holders.of(value.receiver), kept)
            )
        receiver = value.receiver_place
        return (
            value.method in ("pop", "at") and receiver is not None and not receiver.path
        ) and self._is_split(receiver.root, kept)

    def _is_split_at(self, piece: t.Element, kept: Holder) -> bool:
        """`waiting = waiting[:i]` of a list, where `i` counts its elements in a loop: element `i` is taken out."""
        bounds = piece.key.operands if isinstance(piece.key, t.Several) else []
        end = bounds[1] if len(bounds) > 1 else None
        if not isinstance(end, t.Ref) or end.place.path or not end.place.name:
            return False
        return self._is(self.holders.of(piece.subject), kept) and any(
            isinstance(counted := value.call if isinstance(value, t.Result) else value, t.Element)
            and self._is(self.holders.of(counted.subject), kept)
            for value in (store.value for _, store in self.module.stores_to(end.place))
        )

    def _is_split(self, binding: Binding, kept: Holder) -> bool:
        """Whether a variable holds the pieces of what is kept."""
        values = [store.value for _, store in self.module.stores_to(Place(binding))] if binding.name else []
        return any(
            isinstance(v, t.Call)
            and v.method in ("split", "splitlines", "Split")
            and any(self.holders.of(p) == kept for p in (v.receiver, *v.arguments) if p is not None)
            for v in values
        )


def _from_the_end(key: t.Term) -> bool:
    """Whether a cut keeps the end of a text: `slice(-limit)`, `[len(s) - limit:]`."""
    return any(
        (isinstance(part, (t.Unary, t.Binary)) and part.op == "-")
        or (isinstance(part, t.Constant) and isinstance(part.value, (int, float)) and part.value < 0)
        for part in key.walk()
    )

"""JavaScript values in Go: `syscall/js` lowered to what the JavaScript itself would be.

`ws.Get("readyState").Int()` reads the field `ws.readyState`, `.Equal(x)` of it compares, `ws.Call("send", x)` calls
`ws.send(x)`, `js.Global().Get("WebSocket").New(url)` makes a `WebSocket`, `ws.Set("onmessage", js.FuncOf(f))` assigns a
handler.
Guarantees that calls with a name that is no literal stay the calls they are. Does not check types: in a file that
imports `syscall/js`, `x.Get("name")` is read this way whatever `x` is.
"""

from __future__ import annotations

from collections.abc import Callable

from wsantipattern.model.place import Binding, Place
from wsantipattern.model.term import Binary, Call, Constant, Extent, Field, Ref, Store, Term

MODULE = "syscall/js"
READS = frozenset({"Int", "Float", "String", "Bool", "Truthy"})
"""Methods that give a JavaScript value's content to Go."""
GIVES = frozenset({"Get", "Call", "Invoke", "New", "Index"})
"""Methods whose result is a JavaScript value."""


def foreign(
    call: Call, inner: str, named: Callable[[Term], str | None], unbound: Callable[[str], Binding]
) -> Term | None:
    """What a Go call means in JavaScript, or None where it is a call of Go.

    `inner` is the method whose result the call's own is called on, "" where there is none; `named` gives canonical
    names, `unbound` the binding of a name that nothing declares.
    """
    if named(call.callee) in (f"{MODULE}.FuncOf", f"{MODULE}.ValueOf") and len(call.arguments) == 1:
        return call.arguments[0]
    subject = call.receiver
    if subject is None:
        return None
    if call.method in READS and inner in GIVES and not call.arguments:
        return subject
    if call.method == "Equal" and inner in GIVES and len(call.arguments) == 1:
        return Binary(call.extent, "==", subject, call.arguments[0])
    if call.method in ("New", "Invoke") and (inner in GIVES or _is_global(subject, named)):
        return Call(call.extent, subject, call.arguments, constructs=call.method == "New")
    first = call.arguments[0] if call.arguments else None
    if not (isinstance(first, Constant) and isinstance(first.value, str) and first.value):
        return None
    name, rest = first.value, call.arguments[1:]
    if call.method == "Get" and not rest:
        return _field(call.extent, subject, name, named, unbound)
    if call.method == "Call":
        return Call(call.extent, _field(call.extent, subject, name, named, unbound), rest)
    if call.method == "Set" and len(rest) == 1:
        return Store(call.extent, _field(call.extent, subject, name, named, unbound), rest[0])
    return None


def _field(
    extent: Extent,
    subject: Term,
    name: str,
    named: Callable[[Term], str | None],
    unbound: Callable[[str], Binding],
) -> Term:
    if _is_global(subject, named):
        return Ref(extent, Place(unbound(name)))
    if isinstance(subject, Ref):
        return Ref(extent, Place(subject.place.root, (*subject.place.path, name)))
    return Field(extent, subject, name)


def _is_global(term: Term, named: Callable[[Term], str | None]) -> bool:
    """Whether a term is `js.Global()`, or a variable that is nothing else."""
    if isinstance(term, Ref) and not term.place.path and term.place.root.constant:
        initial = term.place.root.initial
        return isinstance(initial, Call) and named(initial.callee) == f"{MODULE}.Global"
    return isinstance(term, Call) and named(term.callee) == f"{MODULE}.Global"

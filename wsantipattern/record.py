"""`record`: `dataclasses.dataclass` with slots, whose methods are compiled when they are first called.

A hundred classes describe what is read, and a run that checks one file makes objects of a third of them; compiling
the methods of all was a sixth of the time of such a run. A type checker sees `dataclass` itself. At run time `frozen`
makes objects hashable and is otherwise left to the type checker: setting fields through `object.__setattr__` takes
twice the time of an assignment.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

__all__ = ["record"]

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as record
else:

    def record(*, frozen: bool = False, slots: bool, eq: bool = True, order: bool = False, repr: bool = True):
        """A decorator that takes the arguments of `dataclass`; `slots` must be given, and true."""
        names = {"__init__", *(["__repr__"] if repr else [])}
        if eq:
            names |= {"__eq__", *(["__hash__"] if frozen else [])}
        if order:
            names |= {"__lt__", "__le__", "__gt__", "__ge__"}

        def make(cls: type) -> type:
            # `dataclass` would else spend longer on writing the signature of the class than on the class.
            cls.__doc__ = cls.__doc__ or cls.__name__
            # Before `dataclass` takes the defaults out of the class.
            source = type(cls)(cls.__name__, cls.__bases__, dict(cls.__dict__))
            made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
            own = {name for name in names if name not in cls.__dict__}
            if eq and not frozen and "__hash__" not in cls.__dict__:
                made.__hash__ = None

            def compile_methods() -> None:
                complete = dataclasses.dataclass(
                    init=True, repr=repr, eq=eq, order=order, unsafe_hash=eq and frozen, slots=slots
                )(source)
                for name in own:
                    setattr(made, name, complete.__dict__[name])

            for name in own:
                setattr(made, name, _first(made, name, compile_methods))
            return made

        return make


def _first(made: type, name: str, compile_methods: Callable[[], None]) -> Callable[..., Any]:
    def method(self: object, *arguments: Any, **named: Any) -> Any:
        compile_methods()
        return getattr(made, name)(self, *arguments, **named)

    method.__name__ = name
    return method

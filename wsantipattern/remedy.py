"""What would put a match right, in the model's terms: which steps, not which text.

A rule hands a remedy out with its match; `fix` turns it into edits in the file's language, or into nothing. Extents
are byte offsets into the module's text. Knows no language and changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from wsantipattern.record import record

if TYPE_CHECKING:
    from wsantipattern.model.term import Extent


@record(frozen=True, slots=True)
class ClearAlways:
    """Clear a timer on every way out of the function that arms it.

    Attributes:
        name: the handle, as a message shows it.
        variable: the variable at the root of the handle's place.
        arm: what arms; behind it the timer is armed.
        clear: a call in the file that clears this handle, whose text may be written wherever the handle is in scope.
        clears: the calls of the function that clear the handle by themselves.
        others: its calls that clear the handle through a function of the file.
        waits: where other code runs before the function goes on.
        risks: where the function may be left: calls, waits, returns, raises.
        armed: the steps that some way reaches with the timer armed.
        is_harmless_unset: whether clearing a handle that was never set does nothing.
        is_immediate: whether nothing can fire between two waits, so that a clear may move over plain code.
        safe: whether nothing but the leak changes.
    """

    name: str
    variable: str
    arm: Extent
    clear: Extent
    clears: tuple[Extent, ...]
    others: tuple[Extent, ...]
    waits: tuple[Extent, ...]
    risks: tuple[Extent, ...]
    armed: tuple[Extent, ...]
    is_harmless_unset: bool
    is_immediate: bool
    safe: bool


@record(frozen=True, slots=True)
class ClearBefore:
    """Clear a timer just before a call that settles what it watches over. Never safe: the timer may do more.

    `name`, `arm` and `clear` are those of `ClearAlways`; `step` is the call.
    """

    name: str
    arm: Extent
    clear: Extent
    step: Extent


@record(frozen=True, slots=True)
class Drop:
    """Leave out an assignment, or the call or deletion that stands for one.

    Attributes:
        name: what is assigned to.
        assignment: the term.
        is_plain: whether nothing else is lost with it, and nobody but the fault's own path comes to it.
        may_be_all: whether it may be all that its function does: nobody can call that by a name.
    """

    name: str
    assignment: Extent
    is_plain: bool
    may_be_all: bool


@record(frozen=True, slots=True)
class OnlyRaise:
    """Assign a value only where it is higher. Never safe: what is lower may be meant, or no number at all.

    Attributes:
        name: what is assigned to.
        assignment, target, value: the assignment and its two sides.
        is_repeatable: whether the value may be written, and computed, twice.
        is_number: whether the file shows numbers, and nothing else, in the same place.
    """

    name: str
    assignment: Extent
    target: Extent
    value: Extent
    is_repeatable: bool
    is_number: bool


@record(frozen=True, slots=True)
class ResetBefore:
    """Empty a container before a step, as another call of the file does. Never safe.

    Attributes:
        name: the container.
        step: what must come after the reset: the first look at the container.
        reset: a call of the function that empties it, whose text may be written before the step; None for what the
            language itself has for that.
        grown_by: the methods by which the container gets its items, `[]` and `append` to itself among them; none where
            the file does not show it.
        known: where the function learns that it must be emptied.
        within: the steps that are reached only where it must be.
        condition: what says so before the step; None where the step is reached only then.
        can_precede: whether the reset may stand just before the step, or before the loop around it.
    """

    name: str
    step: Extent
    reset: Extent | None
    grown_by: frozenset[str]
    known: Extent
    within: tuple[Extent, ...]
    condition: Extent | None
    can_precede: bool


@record(frozen=True, slots=True)
class Guard:
    """Do a step only where what it adds is not there yet at the end. Never safe.

    Attributes:
        name: what is added to.
        step: the assignment or call, or the new value as a whole.
        content: the text of what is added to, as an extent.
        addition: the text of what is added.
        kind: `statement`; a `value` that something is done with; one of which only a `part` can be chosen; the call of a
            `builder` of texts, which is then the content.
    """

    name: str
    step: Extent
    content: Extent
    addition: Extent
    kind: Literal["statement", "value", "part", "builder"]


@record(frozen=True, slots=True)
class Advice:
    """Words for a person; no edit can know enough."""

    text: str


Remedy = ClearAlways | ClearBefore | Drop | OnlyRaise | ResetBefore | Guard | Advice

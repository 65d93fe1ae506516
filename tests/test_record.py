"""`record` does what `dataclass` does, however late its methods are made."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, fields, replace

import pytest

from wsantipattern.record import record


@record(frozen=True, slots=True, order=True)
class Spot:
    """Where."""

    line: int
    column: int = 1


@record(slots=True)
class Batch:
    name: str
    items: list[int] = field(default_factory=list)


@record(slots=True, eq=False)
class Node:
    extent: tuple[int, int]
    parent: Node | None = field(default=None, init=False, repr=False)


@record(slots=True, eq=False)
class Leaf(Node):
    text: str = ""


class Marked(Leaf):
    pass


@dataclass(frozen=True, slots=True, order=True)
class Known:
    line: int
    column: int = 1


def test_values_are_compared_and_ordered():
    assert Spot(3) == Spot(3, 1) != Spot(3, 2)
    assert hash(Spot(3)) == hash(Spot(line=3, column=1))
    assert sorted([Spot(2), Spot(1, 9), Spot(1, 2)]) == [Spot(1, 2), Spot(1, 9), Spot(2)]
    assert Spot(1) != Known(1)
    assert Spot(1) <= Spot(1) < Spot(2)
    assert Spot(2) > Spot(1) >= Spot(1)
    assert repr(Spot(1)) == "Spot(line=1, column=1)"


def test_the_first_call_is_like_the_second():
    @record(frozen=True, slots=True)
    class Fresh:
        line: int

    first, second = Fresh(1), Fresh(2)
    assert (first.line, second.line) == (1, 2)
    assert first != second
    with pytest.raises(TypeError, match="line"):
        Fresh()


def test_what_can_change_has_no_hash_and_its_own_list():
    one, other = Batch("a"), Batch("a")
    one.items.append(1)
    assert other.items == []
    assert one != other
    with pytest.raises(TypeError):
        hash(one)


def test_fields_of_a_base_are_there_and_set():
    leaf = Leaf((0, 1), "x")
    assert (leaf.extent, leaf.parent, leaf.text) == ((0, 1), None, "x")
    assert leaf != Leaf((0, 1), "x")
    assert hash(leaf)
    assert repr(leaf) == f"{Leaf.__qualname__}(extent=(0, 1), text='x')"
    assert Marked((1, 2)).text == ""
    with pytest.raises(AttributeError):
        leaf.unknown = 1


def test_dataclasses_and_pickle_know_them():
    assert [f.name for f in fields(Leaf)] == ["extent", "parent", "text"]
    assert replace(Spot(1, 2), column=5) == Spot(1, 5)
    assert pickle.loads(pickle.dumps(Spot(4, 2))) == Spot(4, 2)
    assert pickle.loads(pickle.dumps(Batch("b", [1]))) == Batch("b", [1])
    match Spot(7, 8):
        case Spot(line, column):
            assert (line, column) == (7, 8)

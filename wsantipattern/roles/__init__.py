"""What a value is for: socket, timer, watermark, dedup tracker, staleness, liveness, accumulation, message.

A role answers with evidence or with nothing. `Roles` is made once for each module and hands out one object a role;
each is made on first use and keeps what it found.
"""

from __future__ import annotations

from wsantipattern.knowledge import Knowledge
from wsantipattern.model.module import Module


class Roles:
    """The roles of one module, under one body of knowledge."""

    def __init__(self, module: Module, knowledge: Knowledge) -> None:
        self.module = module
        self.knowledge = knowledge

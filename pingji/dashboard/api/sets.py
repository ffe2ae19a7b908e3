"""The bodies of requests about change sets."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pingji.dashboard.api.common import NO_CONTROLS, NO_NUL
from pingji.ops.change_set import Reason

Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_CONTROLS)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=NO_CONTROLS)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=NO_CONTROLS)]
Note = Annotated[str, StringConstraints(max_length=2000, pattern=NO_NUL)]
Actor = Annotated[str, StringConstraints(max_length=64, pattern=NO_CONTROLS)]
Communities = Annotated[list[Code], Field(min_length=1, max_length=500)]
Revision = Annotated[int, Field(ge=0, le=2**31 - 1)]


class SetIn(BaseModel):
    """A change set to begin."""

    model_config = ConfigDict(extra="forbid")

    id: Id | None = None
    name: Name
    reason: Reason
    note: Note = ""
    communities: Communities


class WordsIn(BaseModel):
    """New words of a draft; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    revision: Revision
    name: Name | None = None
    reason: Reason | None = None
    note: Note | None = None
    communities: Communities | None = None


class StepIn(BaseModel):
    """Undo, or do again; the answer shows this community."""

    model_config = ConfigDict(extra="forbid")

    revision: Revision
    community: Code

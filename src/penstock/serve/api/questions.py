"""What only a person can say, gathered by asset: who knows the one answer often knows the others."""

from __future__ import annotations

from typing import Annotated

import msgspec

from penstock.serve.api.endpoint import Call, endpoint
from penstock.serve.api.shapes import QuestionGroup
from penstock.serve.api.shaping import question_groups


class QuestionQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``limit`` and ``offset`` count assets."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 20
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0


class QuestionList(msgspec.Struct, frozen=True):
    """``total`` counts questions, ``assets`` those they are about."""

    total: int
    assets: int
    groups: tuple[QuestionGroup, ...]


@endpoint("GET", "/questions")
def questions(call: Call, query: QuestionQuery) -> QuestionList:
    """Open questions by asset, the most pressing first."""
    world = call.live.world
    page = question_groups(world, query.limit, query.offset)
    return QuestionList(len(world.assessment.questions), len(world.asked), page)

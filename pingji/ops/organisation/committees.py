"""Joint committees 联合党委: the departments paired with a community, and where its first secretary comes from."""

from collections.abc import Collection

from pingji.ops.organisation.post import Post

NO_DEPARTMENT, NO_FIRST_SECRETARY, NOT_PAIRED = "no_department", "no_first_secretary", "first_secretary_not_paired"


def warnings(departments: Collection[str], first: Post | None) -> tuple[str, ...]:
    """What is odd about a joint committee.

    >>> warnings([], None)
    ('no_department', 'no_first_secretary')
    """
    found = [] if departments else [NO_DEPARTMENT]
    if first is None or first.vacant:
        found.append(NO_FIRST_SECRETARY)
    elif first.term.department not in departments:
        found.append(NOT_PAIRED)
    return tuple(found)

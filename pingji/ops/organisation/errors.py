"""What the organisation refuses."""

from pingji.ops.errors import OpsError


class OrganisationError(OpsError):
    """Base of what the organisation refuses; each subclass says why."""


class UnknownUnit(OrganisationError):
    """No unit has this code. `unit`."""


class UnknownPost(OrganisationError):
    """No post has this code, and the unit has none of this kind. `post`."""


class UnknownCentre(OrganisationError):
    """No centre household has this code. `centre`."""


class UnknownDepartment(OrganisationError):
    """No department has this code. `department`."""


class UnknownCall(OrganisationError):
    """The post was not asked in this operation. `post`."""


class CallClosed(OrganisationError):
    """The call was withdrawn: the operation is over or was taken back. `post`."""


class NobodyToActFor(OrganisationError):
    """The deputy can't answer: the post has none. `post`."""


class NothingToHandBack(OrganisationError):
    """The holder acts already. `post`."""


class TermBackwards(OrganisationError):
    """A term that ends before it begins. `term_from`, `term_to`."""


class RuleOutOfRange(OrganisationError):
    """A rule's number is out of its range. `name`, `value`, `low`, `high`."""


class PreviewOutdated(OrganisationError):
    """The file or the organisation is not what was previewed any more."""

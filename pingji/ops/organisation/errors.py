"""What the organisation refuses."""

from pingji.ops.errors import OpsError


class UnknownUnit(OpsError):
    """No unit has this code. `unit`."""


class UnknownPost(OpsError):
    """No post has this code, and the unit has none of this kind. `post`."""


class UnknownCentre(OpsError):
    """No centre household has this code. `centre`."""


class UnknownDepartment(OpsError):
    """No department has this code. `department`."""


class UnknownCall(OpsError):
    """The post was not asked in this operation. `post`."""


class CallClosed(OpsError):
    """The call was withdrawn: the operation is over or was taken back. `post`."""


class NobodyToActFor(OpsError):
    """The deputy can't answer: the post has none. `post`."""


class NothingToHandBack(OpsError):
    """The holder acts already. `post`."""


class TermBackwards(OpsError):
    """A term that ends before it begins. `term_from`, `term_to`."""


class RuleOutOfRange(OpsError):
    """A rule's number is out of its range. `name`, `value`, `low`, `high`."""


class WorkbookRefused(OpsError):
    """A workbook with errors changes nothing. `n`, and `sheet` and `row` of the first."""


class PreviewOutdated(OpsError):
    """The file or the organisation is not what was previewed any more."""

"""Files: reading what counties send, mapping it to layers, saving it all or not at all, and writing layers out."""

from pingji.data.files.export import export
from pingji.data.files.plan import ImportOptions, ImportPlan, apply_import, plan_import

__all__ = ["ImportOptions", "ImportPlan", "apply_import", "export", "plan_import"]

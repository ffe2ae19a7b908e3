"""Files: reading what counties send, mapping it to layers, saving it all or not at all, and writing layers out."""

from pingji.data.files.export import export
from pingji.data.files.plan import ImportPlan, apply_import, plan_import
from pingji.data.files.reading import ImportOptions

__all__ = ["ImportOptions", "ImportPlan", "apply_import", "export", "plan_import"]

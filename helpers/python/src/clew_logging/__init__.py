"""Send Python log records to clew: `logging.getLogger().addHandler(ClewHandler(service_name='shop'))`."""

from .handler import ClewHandler
from .stats import Stats
from .version import version as __version__

__all__ = ["ClewHandler", "Stats", "__version__"]

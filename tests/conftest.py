"""What holds for the whole tree: the path to `support`, and Hypothesis that is alike everywhere."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile("stimbench", deadline=None, derandomize=True)
settings.load_profile("stimbench")

"""``python -m wsstream``."""

import sys

from .app.cli import main

sys.exit(main())

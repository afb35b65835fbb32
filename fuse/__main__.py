"""`python -m fuse`: the command `rootless-overlay`."""

import sys

from .command_line import main

sys.exit(main())

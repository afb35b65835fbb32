"""`python -m rootless`."""

import sys

from rootless.entry import main

sys.exit(main())

"""`python -m deploy.embedded`: the same as `tailq-triton`."""

import sys

from deploy.embedded.cli import main

sys.exit(main())

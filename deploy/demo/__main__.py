"""`python -m deploy.demo`, what `make demo` runs."""

from deploy.demo.cli import main

main()

"""`python -m diffsim`: the command line without an installed script."""

from diffsim.cli import main

main()

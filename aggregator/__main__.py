"""`python -m aggregator`, the same as the command."""

from aggregator.cli.main import main

if __name__ == "__main__":
    main()

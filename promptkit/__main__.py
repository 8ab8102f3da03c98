"""`python -m promptkit`."""

from promptkit.cli import main

if __name__ == "__main__":
    main()

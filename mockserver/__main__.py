"""`python -m mockserver`: the same as `attendee-mock`."""

from mockserver.cli.main import main

if __name__ == "__main__":
    main()

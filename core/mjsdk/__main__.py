"""`python -m mjsdk` is the command line."""

from mjsdk.cli import main

if __name__ == "__main__":
    main()

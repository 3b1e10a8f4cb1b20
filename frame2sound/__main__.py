"""Run the command line: python -m frame2sound."""

from frame2sound.cli import main

if __name__ == "__main__":
    main()

"""The studio: a page in the browser whose every action is a command of the command line."""

"""What keeps `up` from starting."""


class CannotStart(Exception):
    """The message is one line for the person at the terminal: what is wrong, and what to do."""

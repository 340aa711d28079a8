"""What a picture can be refused for."""


class BadPicture(Exception):
    """No picture came of it.  The text says why in words, and never holds an address: those are credentials."""

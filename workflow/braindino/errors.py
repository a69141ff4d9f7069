"""The one exception that is meant for the user."""


class BadInput(ValueError):
    """Input that a person must mend: one sentence with the file, the key and the mend."""

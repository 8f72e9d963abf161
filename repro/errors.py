"""The one exception that a user is meant to read."""


class UserError(Exception):
    """Something the user can put right: one sentence naming what is wrong and what to do.

    The command line prints the sentence alone and exits with code 2.
    """

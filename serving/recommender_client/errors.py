"""What goes wrong between a client and a server, as sentences."""


class UsageError(ValueError):
    """A request that cannot be made: nothing was sent."""


class ServingError(Exception):
    """A request that was not answered: where, the status by gRPC's name, the server's sentence.

    `is_transient`: the server was not reached or is too busy, so that the same request may be
    answered a moment later. Requests change nothing on a server: sending one again is safe.
    """

    def __init__(self, where: str, code: str, sentence: str, is_transient: bool = False) -> None:
        super().__init__(f"{where}: {code}: {sentence}")
        self.where = where
        self.code = code
        self.sentence = sentence
        self.is_transient = is_transient

"""What the command line cannot go on from; each message says how to mend it."""


class FareboxError(Exception):
    """Base of all errors of this package: printed without a traceback, exit code 1."""


class PortTaken(FareboxError):
    """A port the product needs is in use."""


class AlreadyRunning(FareboxError):
    """Another `farebox up` holds this folder."""


class NotRunning(FareboxError):
    """There is no running product to talk to."""


class StartFailed(FareboxError):
    """Something that was started did not come up."""

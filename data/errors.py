"""What can go wrong with a data set."""


class DataError(Exception):
    """Base of all errors of this package. `code` is stable; arguments are positional and pickle."""

    code = "data_error"


class DatasetNotFound(DataError):
    """The data set is in none of the known places and could not be downloaded."""

    code = "dataset_not_found"


class DatasetMismatch(DataError):
    """The file is not the data set this project knows: other bytes or other columns."""

    code = "dataset_mismatch"

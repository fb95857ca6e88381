"""What is sent again after a broken line is the same request, and another is another."""

from frontend.attempts import attempt_of


def test_the_same_is_asked_again_under_the_same_key() -> None:
    first = attempt_of(None, ("prediction", "wrong verdict"))
    assert attempt_of(first, ("prediction", "wrong verdict")) is first


def test_what_differs_has_a_key_of_its_own() -> None:
    first = attempt_of(None, ("prediction", "wrong verdict"))
    assert attempt_of(first, ("prediction", "paid twice")).key != first.key

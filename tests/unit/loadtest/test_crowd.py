"""Who gets which account."""

from loadtest.crowd import Crowd, share_of

KEYS = [f"k{n}" for n in range(10)]


def test_processes_share_no_key_while_there_are_enough() -> None:
    shares = [share_of(KEYS, index, 3) for index in range(3)]
    assert sorted(key for share in shares for key in share) == KEYS
    assert shares[0] == ["k0", "k3", "k6", "k9"]


def test_every_process_gets_a_key_where_there_are_too_few() -> None:
    assert [share_of(["a", "b"], index, 5) for index in range(5)] == [
        ["a"],
        ["b"],
        ["a"],
        ["b"],
        ["a"],
    ]


def test_careless_users_never_get_a_paying_account() -> None:
    crowd = Crowd(paying=KEYS, careless=["c"])
    assert crowd.key_for(13) == "k3"
    assert crowd.careless_key_for(13) == "c"

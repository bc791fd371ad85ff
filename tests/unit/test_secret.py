import pickle

import pytest

from computekit.secret import Secret


def test_a_secret_never_shows() -> None:
    secret = Secret(b"open sesame")
    assert f"{secret} {secret!r} {[secret]}" == "*** *** [***]"
    assert secret.reveal() == b"open sesame"


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(b"x"))


def test_secrets_compare_by_value() -> None:
    assert Secret(b"x") == Secret(b"x")
    assert Secret(b"x") != Secret(b"y")
    assert len({Secret(b"x"), Secret(b"x")}) == 1

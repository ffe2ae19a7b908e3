"""Rules of signing in: no order of tries, right and wrong, gets more than five wrong ones judged in a quarter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pingji.ops import sign_in
from pingji.ops.sign_in import LOCK_US, TRIES, Locked, Standing, begin_try, require_good, take_back

WAITS = st.integers(0, 2 * LOCK_US)
OUTCOMES = st.sampled_from(["wrong", "half", "right"])


@given(st.lists(st.tuples(WAITS, OUTCOMES), max_size=60))
def test_no_more_than_five_wrong_in_a_row_between_locks(tries: list[tuple[int, str]]) -> None:
    standing, at, wrong_in_a_row = Standing(), 0, 0
    for wait, outcome in tries:
        at += wait
        was_locked = at < standing.locked_until
        if not was_locked and standing.locked_until:
            wrong_in_a_row = 0  # the lock is over
        if was_locked:
            with pytest.raises(Locked) as locked:
                begin_try(standing, at)
            assert locked.value.params["until"] == standing.locked_until <= at + LOCK_US
            continue
        standing = begin_try(standing, at)
        if outcome == "right":
            standing, wrong_in_a_row = Standing(), 0
        elif outcome == "half":
            standing = take_back(standing)
        else:
            wrong_in_a_row += 1
        assert standing.failed == wrong_in_a_row <= TRIES
        assert (standing.locked_until > at) == (wrong_in_a_row == TRIES)


@given(st.lists(OUTCOMES.filter(lambda one: one != "right"), max_size=40))
def test_half_a_sign_in_forgives_nothing_but_itself(outcomes: list[str]) -> None:
    standing = Standing()
    for outcome in outcomes:
        try:
            tried = begin_try(standing, 0)
        except Locked:
            break
        standing = take_back(tried) if outcome == "half" else tried
    assert standing.failed == min(outcomes.count("wrong"), TRIES)


@given(st.integers(1, 50))
def test_tries_at_once_are_counted_before_any_is_judged(n: int) -> None:
    standing, let_through = Standing(), 0
    for _ in range(n):
        try:
            standing = begin_try(standing, 0)
        except Locked:
            continue
        let_through += 1
    assert let_through == min(n, TRIES)


@pytest.mark.parametrize(
    ("password", "refused"),
    [
        ("short 1", sign_in.PasswordTooShort),
        ("x" * 201, sign_in.PasswordTooLong),
        ("my wang.li pass", sign_in.PasswordTellsTheName),
        ("ZHAO DA ming 99", sign_in.PasswordTellsTheName),
        ("1234567890", sign_in.PasswordTooCommon),
        ("9876543210", sign_in.PasswordTooCommon),
        ("13804321234", sign_in.PasswordTooCommon),  # a phone
        ("woaini1314520", sign_in.PasswordTooCommon),
        ("Zhongguo2024!", sign_in.PasswordTooCommon),
        ("\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff10", sign_in.PasswordTooCommon),  # full-width
        ("abcdefghij", sign_in.PasswordTooCommon),
        ("qwertyuiop", sign_in.PasswordTooCommon),
        ("1qaz2wsx3edc", sign_in.PasswordTooCommon),
    ],
)
def test_passwords_that_are_guessed_first(password: str, refused: type[Exception]) -> None:
    with pytest.raises(refused):
        require_good(password, "wang.li", "Zhao Da")


@pytest.mark.parametrize(
    "password", ["mild otter 47 lamps", "\u4e94\u9897\u6843\u6838\u4e0e\u4e00\u628a\u65e7\u94c1\u9539"]
)
def test_a_few_words_are_enough(password: str) -> None:
    require_good(password, "wang.li", "Wang Li")


@pytest.mark.parametrize("login", ["", " ", "a b", "x" * 65, "a\u0000b", "a\u202eb"])
def test_logins_that_are_none(login: str) -> None:
    with pytest.raises(sign_in.BadLogin):
        sign_in.login_of(login)


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(sign_in.BadName):
        sign_in.name_of(name)

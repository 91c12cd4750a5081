"""Names of attempts and requests."""

from jobmon.ids import TOKEN_LENGTH, TOKEN_PATTERN, new_request_id, new_tokens, platform_job_name


def test_tokens_are_distinct_ordered_and_of_the_form_that_platforms_take() -> None:
    tokens = [*new_tokens(1000), *new_tokens(1), *new_tokens(1)]
    assert len(set(tokens)) == 1002
    assert tokens[:1000] == sorted(tokens[:1000])
    assert all(TOKEN_PATTERN.fullmatch(token) and len(token) == TOKEN_LENGTH for token in tokens)


def test_no_tokens_are_made_when_none_are_asked_for() -> None:
    assert new_tokens(0) == []


def test_request_ids_do_not_repeat() -> None:
    assert len({new_request_id() for _ in range(1000)}) == 1000


def test_a_job_name_begins_with_the_whole_token_however_long_the_task_name_is() -> None:
    [token] = new_tokens(1)
    name = platform_job_name(token, "Größe\n of /tmp;rm -rf * " * 20)
    assert name.startswith(token + "-Gr_e_of_tmp_rm_-rf_")
    assert len(name) == 100
    assert platform_job_name(token, "", length=TOKEN_LENGTH) == token

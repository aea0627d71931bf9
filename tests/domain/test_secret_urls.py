"""Secrets in URLs are known by where they stand and by what they are called."""

from __future__ import annotations

import pytest

from mockserver.domain.secret_urls import shown_url, url_secrets, without_secrets

NAMES = ("token", "access_token", "sig", "signature", "X-Amz-Signature", "key", "api_key", "apikey", "x-functions-key")
MORE = ("code", "secret", "clientSecret", "password", "pwd", "passcode", "auth", "hmacSha", "sv.sig", "KEY", "se%63ret")


@pytest.mark.parametrize("name", NAMES + MORE)
def test_a_parameter_with_the_name_of_a_secret_is_masked(name: str) -> None:
    url = f"https://hooks.example:8443/a/b?tenant=7&{name}=pla%2Fnted&x=y"
    assert shown_url(url) == f"https://hooks.example:8443/a/b?tenant=7&{name}=***&x=y"
    assert shown_url(f"https://h.example/#{name}=planted") == f"https://h.example/#{name}=***"
    assert {"pla%2Fnted", "pla/nted"} <= set(url_secrets(url))


@pytest.mark.parametrize("name", ["tenant", "id", "keyboard", "cursor", "deduplication_key", "design", "pinned"])
def test_another_parameter_is_shown(name: str) -> None:
    url = f"https://hooks.example/a?{name}=value&b"
    assert shown_url(url) == url
    assert list(url_secrets(url)) == []


@pytest.mark.parametrize("user", ["user:planted", "planted", "user:pl@nted", ":planted", "us%65r:pl%61nted"])
def test_a_user_and_password_are_left_out_and_masked_in_texts(user: str) -> None:
    assert shown_url(f"http://{user}@127.0.0.1:9/x") == "http://127.0.0.1:9/x"
    assert without_secrets(f"cannot reach http://{user}@127.0.0.1:9/x!") == "cannot reach http://***@127.0.0.1:9/x!"
    assert any("nted" in secret for secret in url_secrets(f"http://{user}@127.0.0.1:9/x"))


def test_the_password_of_a_meeting_is_masked() -> None:
    for text, shown in (
        ("https://us02web.zoom.us/j/81234567890?pwd=Zm9vYmFy.1", "https://us02web.zoom.us/j/81234567890?pwd=***"),
        ("https://teams.microsoft.com/meet/2123?p=aBcDeF", "https://teams.microsoft.com/meet/2123?p=***"),
        ("https://teams.live.com/meet/9?anon=true&p=aB", "https://teams.live.com/meet/9?anon=true&p=***"),
        ("https://example.com/?p=2", "https://example.com/?p=2"),
        (
            "join <a href='https://z.example/j/1?a=b&amp;pwd=x'>",
            "join <a href='https://z.example/j/1?a=b&amp;pwd=***'>",
        ),
    ):
        assert without_secrets(text) == shown


def test_a_text_without_a_url_stays_as_it_is() -> None:
    for text in ("", "a=b", "token=a", "somebody@example.com", "https://example.com/@me/1?x", "http://[broken"):
        assert without_secrets(text) == text
    assert list(url_secrets("http://[broken")) == []

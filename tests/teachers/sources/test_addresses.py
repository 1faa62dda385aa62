"""Which addresses a model may be asked at, and what becomes of its token."""

from __future__ import annotations

import pytest

from kd_core.errors import SpecError
from kd_core.registry import Situation
from kd_core.teachers import posting
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.base import SOURCES, Ask
from kd_core.teachers.sources import endpoint as source
from tests.teachers.sources.endpoint_server import endpoint
from tests.teachers.sources.test_endpoint import ask, data, probabilities


@pytest.mark.parametrize(
    ("url", "allow", "code"),
    [
        ("http://127.0.0.1:9/v1", "", "endpoint_not_allowed"),
        ("http://127.0.0.1:9/v1", "http://127.0.0.1:8,https://127.0.0.1:9", "endpoint_not_allowed"),
        ("https://models.example.com.evil.org/", "https://models.example.com", "endpoint_not_allowed"),
        ("https://models.example.com@evil.org/", "https://models.example.com", "bad_endpoint"),
        ("https://models.example.com/?key=1", "https://models.example.com", "bad_endpoint"),
        ("https://models.example.com/#a", "https://models.example.com", "bad_endpoint"),
        ("file:///etc/passwd", "file:///etc/passwd", "bad_endpoint"),
        ("https://a b/", "https://a", "bad_endpoint"),
        ("https://a\\@b/", "https://a", "bad_endpoint"),
        ("https://a:99999/", "https://a", "bad_endpoint"),
        ("https:///v1", "https://a", "bad_endpoint"),
        ("https://ä.example/", "https://a", "bad_endpoint"),
    ],
)
def test_only_addresses_that_were_allowed_are_asked(monkeypatch, url, allow, code):
    monkeypatch.setattr(posting.http.client, "HTTPConnection", None)  # nobody may even try
    monkeypatch.setattr(posting.http.client, "HTTPSConnection", None)
    with pytest.raises(SpecError) as error:
        ask(data(), url, monkeypatch, allow=allow)
    assert error.value.code == code and error.value.hint
    refused = SOURCES.get("endpoint").facts["refuses"](source.EndpointSpec.parse({"url": url}))
    assert refused is not None and refused.code == code


def test_the_allowed_ones_are_named_by_host_and_port_whatever_the_path(monkeypatch):
    monkeypatch.setenv("KD_ENDPOINTS", " https://Models.Example.com , http://localhost:8000/any ")
    assert posting.allowed("https://models.example.com:443/v1/x").path == "/v1/x"
    assert posting.allowed("http://LOCALHOST:8000").path == "/"
    with pytest.raises(
        SpecError, match=r"localhost:8001 is not among .* https://Models\.Example\.com, http://localhost:8000"
    ):
        posting.allowed("http://localhost:8001")


def test_it_is_off_until_an_address_is_allowed(monkeypatch):
    entry, at = SOURCES.get("endpoint"), Situation("binary", 2)
    monkeypatch.delenv("KD_ENDPOINTS", raising=False)
    assert entry.why_not(at) == (
        "is switched off: whoever runs this workbench allows addresses by KD_ENDPOINTS=https://host"
    )
    monkeypatch.setenv("KD_ENDPOINTS", "models")
    assert "KD_ENDPOINTS is not understood. The address 'models'" in entry.why_not(at)
    monkeypatch.setenv("KD_ENDPOINTS", "https://models.example.com")
    assert entry.why_not(at) is None
    error = entry.facts["missing"](entry.spec())
    assert str(error) == "No address is named. Name the one to ask (url)."
    with pytest.raises(SpecError, match="No address is named"):
        entry.make(entry.spec(), Ask(data(), None, 5, 0, None, "", "cpu", print, lambda: False))


def test_a_token_is_read_from_the_environment_sent_and_kept_nowhere(monkeypatch, tmp_path):
    monkeypatch.setenv("KD_TOKEN_SHOP", "s3cret-token")
    with endpoint(probabilities) as asked:
        found = ask(data(), asked.url, monkeypatch, TeacherCache(tmp_path), token_env="KD_TOKEN_SHOP")
        assert {h["Authorization"] for h in asked.headers} == {"Bearer s3cret-token"}
        ask(data(), asked.url, monkeypatch)
        assert "Authorization" not in asked.headers[-1]
    assert "s3cret" not in str(found)
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and b"s3cret" in p.read_bytes()]
    parse, refuses = source.EndpointSpec.parse, SOURCES.get("endpoint").facts["refuses"]
    with pytest.raises(SpecError, match="token_env"):
        parse({"token_env": "AWS_SECRET_ACCESS_KEY"})  # no other secret of the machine can be sent
    monkeypatch.setenv("KD_ENDPOINTS", "http://models.example.com")
    told = refuses(parse({"url": "http://models.example.com", "token_env": "KD_TOKEN_SHOP"}))
    assert str(told).startswith("A token is not sent to models.example.com over http")
    told = refuses(parse({"url": "http://models.example.com", "token_env": "KD_TOKEN_NONE"}))
    assert str(told).startswith("The environment variable KD_TOKEN_NONE holds no token.")

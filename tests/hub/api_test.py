#!/usr/bin/env python3
# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""api_test.py BIN_DIR: the API of hub field by field, over HTTP, against the program itself. Prints
each case; exit 1 if one failed."""

import re
import sys
import time
import urllib.parse

from world import HINT, World, basic, case, jwt_claims, record, run_program, totp

PATHS = ("/v2/access-tokens", "/v2/api_tokens")
PUBLIC = "https://hub.example.com"
MFA = "Require secondary authentication on MFA enabled account"
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$")
FIELDS = {"uuid", "client_id", "creator_ip", "creator_ua", "created_at", "last_used",
          "generated_by", "is_active", "token", "token_label", "scopes", "expires_at"}
NOBODYS = "00000000-0000-0000-0000-000000000000"


class Context(World):
    def __init__(self, bin_dir):
        super().__init__(bin_dir)
        self.hub_child, self.port = self.hub("--public-url", PUBLIC + "/", "--address-failures",
                                             "100000")
        self.bob = self.sign_in(self.port, "bob")
        self.carol = self.sign_in(self.port, "carol")

    def api(self, method, path, body=None, bearer=None, **headers):
        return self.call(self.port, method, path, body, bearer, **headers)

    def login(self, name, secret, path="/v2/users/login"):
        return self.api("POST", path, {"username": name, "password": secret})

    def create(self, bearer=None, path=PATHS[0], **members):
        body = {"token_label": "made by a test", "scopes": ["repo:read"], **members}
        answer = self.api("POST", path, {k: v for k, v in body.items() if v != "absent"},
                          bearer or self.bob)
        if answer.status == 201:
            record(answer.json()["token"])
        return answer

    def made(self, bearer=None, **members):
        answer = self.create(bearer, **members)
        assert answer.status == 201, (answer.status, answer.body)
        return answer.json()

    def get(self, uuid, bearer=None, path=PATHS[0]):
        return self.api("GET", path + "/" + uuid, bearer=bearer or self.bob)

    def patch(self, uuid, members, bearer=None, path=PATHS[0]):
        return self.api("PATCH", path + "/" + uuid, members, bearer or self.bob)

    def listed(self, bearer, query="", path=PATHS[0]):
        answer = self.api("GET", path + query, bearer=bearer)
        assert answer.status == 200, (answer.status, answer.body)
        return answer.json()

    def fresh_user(self, name, *more):
        self.add_user(name, *more)
        return self.sign_in(self.port, name)


def check_error(answer, status, word=""):
    """Flat, of strings, the same text twice; a 404 says so."""
    assert answer.status == status, (answer.status, status, answer.body)
    body = answer.json()
    assert all(isinstance(value, str) for value in body.values()), body
    assert body["detail"] == body["message"] and body["detail"], body
    assert word in body["detail"], body
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    if status == 404:
        assert b"not found" in answer.body
    if status == 401:
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    if status == 429:
        assert re.match(r"^[1-9]\d*$", answer.headers["Retry-After"]), answer.headers


def check_token(token, **wanted):
    assert set(token) == FIELDS, set(token) ^ FIELDS
    assert UUID.match(token["uuid"]), token["uuid"]
    assert TIME.match(token["created_at"]), token["created_at"]
    for name in ("last_used", "expires_at"):
        assert token[name] is None or TIME.match(token[name]), token
    assert isinstance(token["is_active"], bool) and isinstance(token["scopes"], list)
    for name, value in wanted.items():
        assert token[name] == value, (name, token[name], value)


def check_bearer(jwt, user):
    assert jwt.count(".") == 2 and "=" not in jwt
    claims = jwt_claims(jwt)
    assert isinstance(claims["exp"], int) and claims["exp"] > time.time() + 60, claims
    for name in ("sub", "iss", "jti"):
        assert isinstance(claims[name], str) and claims[name], claims
    assert claims["sub"] == user and claims["iss"] == "hub-test"


# ---- signing in


@case
def login_gives_a_bearer(c):
    for path in ("/v2/users/login", "/v2/users/login/", "/v2/users/login?refresh_token=true"):
        answer = c.login("bob", c.passwords["bob"], path)
        assert answer.status == 200 and set(answer.json()) == {"token"}, answer.body
        check_bearer(record(answer.json()["token"]), "bob")
    names = {jwt_claims(c.sign_in(c.port, "bob"))["jti"] for _ in range(3)}
    assert len(names) == 3


@case
def login_by_get_with_a_body_is_taken(c):
    body = {"username": "bob", "password": c.passwords["bob"]}
    assert c.api("GET", "/v2/users/login", body).status == 200
    assert c.api("GET", "/v2/access-tokens", {"any": "body"}, c.bob).status == 200
    check_error(c.api("GET", "/v2/users/login"), 405)


@case
def a_refused_login_says_nothing_of_why(c):
    good = c.issue("alice", "repo:read")[0]
    refused = [c.login("bob", "wrong"), c.login("nobody", "wrong"), c.login("alice", "wrong"),
               c.login("bob", ""), c.login("bob", good), c.login("nobody", good),
               c.login("alice", good[:-1] + ("0" if good[-1] != "0" else "1"))]
    for answer in refused:
        check_error(answer, 401)
        assert answer.body == refused[0].body
    assert refused[0].json()["detail"].endswith(HINT)


@case
def a_login_that_cannot_be_read_is_400(c):
    for path in ("/v2/users/login", "/v2/users/2fa-login", "/v2/auth/token", "/v2/users/refresh"):
        for body in (b"", b"x", b"[]", b'"a"', b"{", b"{}", b'{"username": 1, "password": 2}',
                     b'{"username": "bob"}', b'{"username": "\xff", "password": "a"}'):
            check_error(c.api("POST", path, body), 400)
        check_error(c.api("PUT", path, {}), 405)
        assert c.api("PUT", path, {}).headers["Allow"] == "POST"


@case
def two_factor_authentication_wants_a_code_that_is_good_once(c):
    first = c.login("alice", c.passwords["alice"])
    check_error(first, 401)
    assert first.json()["detail"] == MFA
    step = record(first.json()["login_2fa_token"])
    check_error(c.api("GET", PATHS[0], bearer=step), 401)  # it is no bearer

    def second(code, step=step, path="/v2/users/2fa-login?refresh_token=true"):
        return c.api("POST", path, {"code": code, "login_2fa_token": step})

    code = totp(c.totp_keys["alice"])
    wrong = "000000" if code != "000000" else "111111"
    check_error(second(wrong), 401)
    check_error(second(code, "abc"), 401)
    check_error(second(code, c.bob), 401)
    good = second(code)
    assert good.status == 200 and set(good.json()) == {"token", "refresh_token"}, good.body
    bearer, refresh = record(good.json()["token"]), record(good.json()["refresh_token"])
    check_bearer(bearer, "alice")
    assert c.api("GET", PATHS[0], bearer=bearer).status == 200
    check_error(second(code), 401)
    again = record(c.login("alice", c.passwords["alice"]).json()["login_2fa_token"])
    check_error(second(code, again), 401)
    assert second(totp(c.totp_keys["alice"], 1), again).status == 200

    check_error(c.api("GET", PATHS[0], bearer=refresh), 401)  # nor is that one
    renewed = c.api("POST", "/v2/users/refresh", {"refresh_token": refresh})
    assert renewed.status == 200
    assert c.api("GET", PATHS[0], bearer=record(renewed.json()["token"])).status == 200
    check_error(c.api("POST", "/v2/users/refresh", {"refresh_token": bearer}), 401)


@case
def guesses_of_codes_are_throttled(c):
    c.add_user("guessed", "--totp")
    step = record(c.login("guessed", c.passwords["guessed"]).json()["login_2fa_token"])
    code = totp(c.totp_keys["guessed"])
    wrong = ["%06d" % n for n in range(8) if "%06d" % n != code]

    def second(code):
        return c.api("POST", "/v2/users/2fa-login", {"code": code, "login_2fa_token": step})

    for guess in wrong[:5]:
        check_error(second(guess), 401)
    check_error(second(wrong[5]), 429)
    check_error(second(code), 429)  # not even looked at
    check_error(c.api("POST", "/v2/users/2fa-login", {
        "code": code,
        "login_2fa_token": record(
            c.login("guessed", c.passwords["guessed"]).json()["login_2fa_token"])}), 429)


@case
def wrong_passwords_are_throttled_and_good_logins_never(c):
    for _ in range(30):
        assert c.login("bob", c.passwords["bob"]).status == 200
    pat = c.issue("carol", "repo:read")[0]
    for _ in range(10):
        check_error(c.login("carol", "wrong"), 401)
    check_error(c.login("carol", "wrong"), 429)
    check_error(c.api("POST", "/v2/auth/token", {"identifier": "carol", "secret": "wrong"}), 429)
    assert c.login("carol", pat).status == 200  # a token is judged first


@case
def auth_token_takes_a_password_or_a_token(c):
    def auth(identifier, secret, path="/v2/auth/token"):
        return c.api("POST", path, {"identifier": identifier, "secret": secret})

    answer = auth("bob", c.passwords["bob"], "/v2/auth/token/?a=b")
    assert answer.status == 200 and set(answer.json()) == {"access_token"}
    check_bearer(record(answer.json()["access_token"]), "bob")
    assert c.api("GET", PATHS[0], bearer=answer.json()["access_token"]).status == 200
    for name in ("bob", "alice"):
        by_token = auth(name, c.issue(name, "repo:admin")[0])
        assert by_token.status == 200
        check_bearer(record(by_token.json()["access_token"]), name)
        check_error(c.api("GET", PATHS[0], bearer=by_token.json()["access_token"]), 403)
    check_error(auth("alice", c.passwords["alice"]), 401)  # two-factor authentication is on
    check_error(auth("bob", "wrong"), 401)
    check_error(auth("nobody", "wrong"), 401)


@case
def what_came_in_by_token_manages_neither_tokens_nor_the_account(c):
    secret, token_id = c.issue("alice", "repo:admin")
    login = c.login("alice", secret)  # without the second factor
    assert login.status == 200 and set(login.json()) == {"token"}
    bearer = record(login.json()["token"])
    check_bearer(bearer, "alice")
    own = c.patctl("list", "--account", "alice")["tokens"][0]["uuid"]
    calls = [("GET", "", None), ("POST", "", {"token_label": "a", "scopes": ["repo:read"]}),
             ("GET", "/" + own, None), ("PATCH", "/" + own, {"token_label": "b"}),
             ("DELETE", "/" + own, None), ("POST", "/desktop-generate", None)]
    everything = [(method, path + below, body) for path in PATHS for method, below, body in calls]
    everything += [("POST", "/account/password", {"current_password": c.passwords["alice"],
                                                  "new_password": "another password"}),
                   ("POST", "/account/email", {"email": "a@example.com"})]
    before = c.patctl("list", "--account", "alice")["tokens"]
    for method, path, body in everything:
        check_error(c.api(method, path, body, bearer), 403)
        check_error(c.api(method, path, body, secret), 403)
        check_error(c.api(method, path, body, **basic("alice", secret)), 403)
    after = c.patctl("list", "--account", "alice")["tokens"]
    assert [t["id"] for t in before] == [t["id"] for t in after]
    assert c.login("alice", c.passwords["alice"]).json()["detail"] == MFA
    c.patctl("deactivate", token_id)
    check_error(c.api("GET", PATHS[0], bearer=bearer), 401)  # it ended with its token
    check_error(c.api("GET", PATHS[0], bearer=secret), 401)


@case
def without_a_good_bearer_it_is_401(c):
    registry = record(c.token(c.port, "bob", c.passwords["bob"]).json()["token"])
    head, claims, mac = c.bob.split(".")
    other = ("A" if mac[0] != "A" else "B") + mac[1:]
    for path in (PATHS[0], PATHS[1], PATHS[0] + "/" + NOBODYS):
        check_error(c.api("GET", path), 401)
        check_error(c.api("GET", path + "?access_token=" + c.bob + "&token=" + c.bob), 401)
        for value in (registry, "", "x", "..", head + "." + claims + ".", ".".join(
                (head, claims, other)), ".".join((head, claims[:-2], mac)), c.bob + "A",
                      ".".join(("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0", claims, ""))):
            check_error(c.api("GET", path, Authorization="Bearer " + value), 401)
        check_error(c.api("GET", path, **basic("bob", c.passwords["bob"])), 401)
    for path in ("/account/password", "/account/email"):
        check_error(c.api("POST", path, {}), 401)
    for scheme in ("Bearer ", "bearer ", "JWT "):
        assert c.api("GET", PATHS[0], Authorization=scheme + c.bob).status == 200


# ---- tokens


@case
def a_new_token_shows_its_secret_once(c):
    for path in PATHS:
        answer = c.create(path=path, token_label="My read only token", scopes=["repo:read"])
        assert answer.status == 201
        token = answer.json()
        check_token(token, token_label="My read only token", scopes=["repo:read"], is_active=True,
                    generated_by="manual", last_used=None, expires_at=None,
                    creator_ip="127.0.0.1")
        assert token["token"].startswith("hub_pat_") and len(token["token"]) == 63
        assert c.token(c.port, "bob", token["token"]).status == 200
        for other in PATHS:
            again = c.get(token["uuid"], path=other)
            assert again.status == 200
            assert {**token, "token": "***", "last_used": again.json()["last_used"]} == again.json()
            row = c.listed(c.bob, path=other)["results"][0]
            assert row == again.json(), row
            assert token["token"].encode() not in again.body


@case
def who_made_it_is_kept_as_sent(c):
    agent = "my-tool/1.0 (x; \"quoted\" \u00fcber) " + "y" * 400
    answer = c.api("POST", PATHS[0], {"token_label": "a", "scopes": ["repo:read"]}, c.bob,
                   User_Agent=agent.encode("utf-8").decode("latin-1"))
    assert answer.status == 201, answer.body
    record(answer.json()["token"])
    check_token(answer.json(), creator_ua=agent, creator_ip="127.0.0.1")
    long = c.api("POST", PATHS[0], {"token_label": "a", "scopes": ["repo:read"]}, c.bob,
                 User_Agent="z" * 5000, X_Forwarded_For="203.0.113.9")
    assert long.status == 201 and long.json()["creator_ua"] == "z" * 768
    assert long.json()["creator_ip"] == "127.0.0.1"  # no proxy of ours said that
    record(long.json()["token"])
    spoiled = c.api("POST", PATHS[0], {"token_label": "a", "scopes": ["repo:read"]}, c.bob,
                    User_Agent="a\u00ff")
    assert spoiled.status == 201 and spoiled.json()["creator_ua"] == "a?"
    record(spoiled.json()["token"])


@case
def labels_have_1_to_100_characters(c):
    for label in ("a", "a" * 100, "\u00fc" * 100, "\U0001f511" * 100, " padded ", "<b>&\"'\n"):
        check_token(c.made(token_label=label), token_label=label)
    for label in ("", "a" * 101, "\u00fc" * 101, "a\0b", 7, None, ["a"], {}, True, "absent"):
        check_error(c.create(token_label=label), 400)


@case
def scopes_come_back_in_the_order_given(c):
    for scopes in (["repo:admin"], ["repo:write"], ["repo:public_read"],
                   ["repo:write", "repo:read"], ["repo:read", "repo:write"],
                   ["repo:public_read", "repo:admin", "repo:read", "repo:write"]):
        token = c.made(scopes=scopes)
        check_token(token, scopes=scopes)
        check_token(c.get(token["uuid"]).json(), scopes=scopes)
    for scopes in ([], ["repo:delete"], ["repo:read", "repo:fly"], ["account:write"], [""], [1],
                   "repo:read", None, {}, [None], [["repo:read"]], ["repo:read", "repo:read"]):
        for path in PATHS:
            check_error(c.create(scopes=scopes, path=path), 400)
    check_error(c.create(scopes="absent"), 400)


@case
def the_older_path_takes_creates_without_scopes(c):
    answer = c.create(path=PATHS[1], scopes="absent", is_active=False)
    assert answer.status == 201
    check_token(answer.json(), scopes=["repo:admin"], is_active=True)
    check_token(c.made(is_active=False), is_active=True)
    granted = c.token(c.port, "bob", answer.json()["token"], ["repository:bob/app:*"])
    assert jwt_claims(granted.json()["token"])["access"][0]["actions"] == ["pull", "push", "delete"]


@case
def expiries_come_back_byte_for_byte(c):
    for text in ("2030-01-01T00:00:00Z", "2030-02-28T23:59:59.5Z", "2032-02-29T12:00:00.000Z",
                 "2099-12-31T23:59:59.123456Z", "2040-01-01T00:00:00.10Z"):
        token = c.made(expires_at=text)
        check_token(token, expires_at=text, is_active=True)
        check_token(c.get(token["uuid"]).json(), expires_at=text)
        patched = c.patch(token["uuid"], {"token_label": "other", "scopes": ["repo:write"]})
        check_token(patched.json(), expires_at=text)
    check_token(c.made(expires_at=None), expires_at=None)
    for text in ("", "tomorrow", "2030-01-01", "2030-01-01T00:00:00", "2030-01-01 00:00:00Z",
                 "2030-01-01T00:00:00z", "2030-01-01T00:00:00+00:00", "2030-01-01T00:00:00.Z",
                 "2030-01-01T00:00:00.1234567Z", "2030-13-01T00:00:00Z", "2030-02-30T00:00:00Z",
                 "2030-01-01T24:00:00Z", "2030-01-01T00:00:60Z", "2030-01-01T00:00:00.1aZ",
                 " 2030-01-01T00:00:00Z", "02030-01-01T00:00:00Z", "2001-01-01T00:00:00Z",
                 "9999-01-01T00:00:00Z", 1893456000, True, [], {}):
        check_error(c.create(expires_at=text), 400)


@case
def pages_counts_and_links(c):
    bearer = c.fresh_user("erin")
    empty = c.listed(bearer)
    assert empty == {"active_count": 0, "count": 0, "next": None, "previous": None, "results": []}
    made = [c.made(bearer, token_label="token %d" % i)["uuid"] for i in range(23)][::-1]
    for path in PATHS:
        def url(page, size, path=path):
            return PUBLIC + path + "?page=%d&page_size=%d" % (page, size)

        first = c.listed(bearer, path=path)
        assert set(first) == {"active_count", "count", "next", "previous", "results"}
        assert (first["active_count"], first["count"]) == (23, 23)
        assert [t["uuid"] for t in first["results"]] == made[:10]
        assert (first["next"], first["previous"]) == (url(2, 10), None)
        second = c.listed(bearer, "?page=2&page_size=10", path)
        assert [t["uuid"] for t in second["results"]] == made[10:20]
        assert (second["next"], second["previous"]) == (url(3, 10), url(1, 10))
        last = c.listed(bearer, "/?page=3", path)
        assert [t["uuid"] for t in last["results"]] == made[20:]
        assert (last["next"], last["previous"]) == (None, url(2, 10))
        beyond = c.listed(bearer, "?page=9", path)
        assert (beyond["results"], beyond["next"], beyond["count"]) == ([], None, 23)
        assert beyond["previous"] == url(3, 10)
        # Following the links shows each once.
        seen, query = [], "?page_size=7"
        while query is not None:
            page = c.listed(bearer, query, path)
            seen += [t["uuid"] for t in page["results"]]
            query = page["next"] and page["next"][len(PUBLIC + path):]
        assert seen == made
        assert len(c.listed(bearer, "?page_size=100", path)["results"]) == 23
        assert len(c.listed(bearer, "?page_size=23", path)["results"]) == 23
        assert c.listed(bearer, "?page_size=23", path)["next"] is None
        for query in ("page=0", "page=-1", "page=x", "page=", "page_size=0", "page_size=-5",
                      "page_size=1.5", "page=9999999999999999999", "page=%zz"):
            check_error(c.api("GET", path + "?" + query, bearer=bearer), 400)
        check_error(c.api("PUT", path, {}, bearer), 405)
    assert c.listed(bearer, "?page=999999999999999999&page_size=100")["results"] == []
    c.patch(made[0], {"is_active": False}, bearer)
    after = c.listed(bearer)
    assert (after["active_count"], after["count"]) == (22, 23)
    c.api("DELETE", PATHS[0] + "/" + made[1], bearer=bearer)
    after = c.listed(bearer)
    assert (after["active_count"], after["count"]) == (21, 22)
    assert made[1] not in [t["uuid"] for t in after["results"]]


@case
def a_page_holds_100_at_most(c):
    bearer = c.fresh_user("frank")
    for i in range(103):
        c.made(bearer, token_label=str(i))
    page = c.listed(bearer, "?page_size=100")
    assert len(page["results"]) == 100 and page["count"] == 103
    assert page["next"] == PUBLIC + PATHS[0] + "?page=2&page_size=100"
    clamped = c.listed(bearer, "?page_size=1000")
    assert clamped == page


@case
def unknown_and_foreign_tokens_are_not_found(c):
    mine = c.made()["uuid"]
    foreign = c.issue("alice", "repo:read")
    foreign = c.patctl("list", "--account", "alice")["tokens"][0]["uuid"]
    for uuid in (foreign, NOBODYS, mine[:-1] + ("0" if mine[-1] != "0" else "1"), mine + "0", "x",
                 "%00", "1", mine + "/x", ".."):
        for path in PATHS:
            check_error(c.get(uuid, path=path), 404)
            check_error(c.patch(uuid, {"is_active": False}, path=path), 404)
            check_error(c.api("DELETE", path + "/" + uuid, bearer=c.bob), 404)
    assert c.patctl("list", "--account", "alice")["tokens"][0]["state"] == "active"
    for path in ("/v2/other", "/v2/", "/nothing", "/v2/access-tokensx"):
        check_error(c.api("GET", path, bearer=c.bob), 404)
    assert c.get(mine + "/").status == 200
    check_error(c.api("PUT", PATHS[0] + "/" + mine, {}, c.bob), 405)


@case
def patch_changes_what_it_names(c):
    token = c.made(token_label="before", scopes=["repo:read"])
    uuid, secret = token["uuid"], token["token"]
    shown = {**token, "token": "***"}

    def patched(members, path=PATHS[0]):
        answer = c.patch(uuid, members, path=path)
        assert answer.status == 200, answer.body
        assert c.get(uuid).json() == answer.json()
        return answer.json()

    assert patched({"is_active": False}) == {**shown, "is_active": False}
    assert c.token(c.port, "bob", secret).status == 401
    assert patched({"is_active": False}, PATHS[1]) == {**shown, "is_active": False}
    assert patched({"is_active": True}, PATHS[1]) == shown
    answer = c.token(c.port, "bob", secret, ["repository:bob/app:*"])
    assert jwt_claims(answer.json()["token"])["access"][0]["actions"] == ["pull"]
    shown = c.get(uuid).json()
    assert patched({"token_label": "after"}) == {**shown, "token_label": "after"}
    shown["token_label"] = "after"
    assert patched({"scopes": ["repo:write", "repo:read"]}) == {
        **shown, "scopes": ["repo:write", "repo:read"]}
    answer = c.token(c.port, "bob", secret, ["repository:bob/app:*"])
    assert jwt_claims(answer.json()["token"])["access"][0]["actions"] == ["pull", "push"]
    everything = {"token_label": "all", "is_active": False, "scopes": ["repo:public_read"]}
    assert patched(everything) == {**shown, **everything}
    assert patched({}) == {**shown, **everything}
    assert patched({"unknown": 1}) == {**shown, **everything}


@case
def a_patch_with_one_bad_member_changes_nothing(c):
    uuid = c.made(token_label="stays", scopes=["repo:read"])["uuid"]
    before = c.get(uuid).json()
    good = {"token_label": "new", "is_active": False, "scopes": ["repo:write"]}
    for bad in ({"token_label": ""}, {"token_label": "a" * 101}, {"token_label": None},
                {"is_active": "no"}, {"is_active": 0}, {"is_active": None}, {"scopes": []},
                {"scopes": ["repo:fly"]}, {"scopes": "repo:read"}, {"scopes": None}):
        for path in PATHS:
            check_error(c.patch(uuid, {**good, **bad}, path=path), 400)
            assert c.get(uuid).json() == before
    for body in (b"", b"[]", b"{", b"null"):
        check_error(c.patch(uuid, body), 400)


@case
def a_deleted_token_is_gone_at_once(c):
    for path in PATHS:
        token = c.made()
        answer = c.api("DELETE", path + "/" + token["uuid"], bearer=c.bob)
        assert answer.status == 202 and answer.body == b"", answer.body
        assert c.token(c.port, "bob", token["token"]).status == 401
        check_error(c.get(token["uuid"]), 404)
        check_error(c.patch(token["uuid"], {"is_active": True}), 404)
        check_error(c.api("DELETE", path + "/" + token["uuid"], bearer=c.bob), 404)


@case
def last_use_is_shown(c):
    token = c.made()
    assert token["last_used"] is None
    begun = time.time()
    assert c.token(c.port, "bob", token["token"]).status == 200
    shown = c.get(token["uuid"]).json()["last_used"]
    assert TIME.match(shown), shown
    used = time.mktime(time.strptime(shown, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    assert abs(used - begun) < 90, (used, begun)


@case
def many_new_tokens_in_a_short_time_are_429(c):
    child, port = c.hub("--new-tokens", "3", log="few.log")

    def create(bearer):
        answer = c.call(port, "POST", PATHS[0], {"token_label": "a", "scopes": ["repo:read"]},
                        bearer)
        if answer.status == 201:
            record(answer.json()["token"])
        return answer

    statuses = [create(c.bob).status for _ in range(6)]
    assert statuses[:3] == [201] * 3 and 429 in statuses, statuses
    check_error(next(a for a in iter(lambda: create(c.bob), None) if a.status == 429), 429)
    assert create(c.carol).status == 201
    for _ in range(20):
        assert c.call(port, "GET", PATHS[0], bearer=c.bob).status == 200
    # Without --public-url the links have the address itself.
    page = c.call(port, "GET", PATHS[0] + "?page_size=1", bearer=c.bob).json()
    assert page["next"].startswith("http://127.0.0.1:%d/v2/access-tokens?" % port), page["next"]
    child.terminate()


# ---- tokens that a desktop's sign-in makes


@case
def a_desktop_gets_a_token_and_the_sixth_takes_the_place_of_the_least_used(c):
    bearer = c.fresh_user("heidi")
    manual = c.made(bearer)
    made = []

    def generate(body=None, path=PATHS[0]):
        answer = c.api("POST", path + "/desktop-generate", body, bearer)
        assert answer.status == 201 and set(answer.json()) == {"data"}, answer.body
        token = answer.json()["data"]
        record(token["token"])
        check_token(token, generated_by="auto", scopes=["repo:admin"], is_active=True,
                    client_id="desktop", expires_at=None, last_used=None)
        made.append(token)
        return token

    assert generate()["token_label"]
    assert generate({"device": "heidi's laptop"}, PATHS[1])["token_label"] == "heidi's laptop"
    for _ in range(3):
        generate({})
    for bad in (b"x", b"[]", b'{"device": 1}', b'{"device": ""}'):
        check_error(c.api("POST", PATHS[0] + "/desktop-generate", bad, bearer), 400)
    check_error(c.api("GET", PATHS[0] + "/desktop-generate", bearer=bearer), 405)

    def alive():
        return {t["uuid"] for t in c.listed(bearer)["results"]}

    assert alive() == {manual["uuid"]} | {t["uuid"] for t in made}
    assert c.token(c.port, "heidi", made[0]["token"]).status == 200
    sixth = generate()
    # All are of about the same second: the one with the smallest of last use or creation goes, and
    # then the oldest of those.
    gone = {t["uuid"] for t in made} - alive()
    assert len(gone) == 1 and sixth["uuid"] not in gone, gone
    assert manual["uuid"] in alive() and c.listed(bearer)["count"] == 6
    assert c.token(c.port, "heidi", [t for t in made if t["uuid"] in gone][0]["token"]).status == 401


# ---- the account


@case
def a_new_password_ends_what_stands_on_the_old_one(c):
    bearer = c.fresh_user("judy")
    pat = c.made(bearer)["token"]
    old, new = c.passwords["judy"], record("a new password of judy's")

    def change(current, following, bearer=bearer):
        return c.api("POST", "/account/password",
                     {"current_password": current, "new_password": following}, bearer)

    check_error(change("wrong", new), 400)
    check_error(change(old, "short"), 400)
    check_error(change(old, "a" * 1025), 400)
    check_error(change(old, pat), 400)
    check_error(c.api("POST", "/account/password", {"current_password": old}, bearer), 400)
    check_error(c.api("GET", "/account/password", bearer=bearer), 405)
    assert c.login("judy", old).status == 200
    answer = change(old, new)
    assert answer.status == 200, answer.body
    check_error(c.api("GET", PATHS[0], bearer=bearer), 401)
    check_error(c.login("judy", old), 401)
    c.passwords["judy"] = new
    assert c.listed(c.sign_in(c.port, "judy"))["count"] == 1
    assert c.token(c.port, "judy", pat).status == 200  # tokens are not passwords


@case
def an_e_mail_address_can_be_changed(c):
    for good in ("bob@example.com", "b.o+b@mail.example.com"):
        assert c.api("POST", "/account/email", {"email": good}, c.bob).status == 200
    assert "b.o+b@mail.example.com" in c.log("users")
    for bad in ("", "bob", "bob@", "@example.com", "a b@example.com", "a:b@example.com", 1, None):
        check_error(c.api("POST", "/account/email", {"email": bad}, c.bob), 400)
    check_error(c.api("POST", "/account/email", b"x", c.bob), 400)
    check_error(c.api("DELETE", "/account/email", bearer=c.bob), 405)
    assert c.api("GET", PATHS[0], bearer=c.bob).status == 200


@case
def bodies_that_are_too_large_are_413(c):
    check_error(c.api("POST", PATHS[0], {"token_label": "a" * (1 << 16)}, c.bob), 413)


@case
def nothing_secret_is_logged(c):
    c.check_logs()
    log = c.log("hub.log")
    for word in ("/v2/users/login", "/v2/access-tokens", "/account/password", "by_token"):
        assert word in log, word
    assert urllib.parse.quote("made by a test") not in log and "made by a test" not in log


if __name__ == "__main__":
    sys.exit(run_program(Context))

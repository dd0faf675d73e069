#!/usr/bin/env python3
# Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
"""metrics_test.py BIN_DIR: /metrics of hub, read by Prometheus' own parser (the package
python3-prometheus-client), and the log's lines. Prints each case; exit 1 if one failed."""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

from world import World, case, record, request, run_program

TOKENS = "/v2/access-tokens"


class Context(World):
    def __init__(self, bin_dir):
        super().__init__(bin_dir)
        self.hub_child, self.port = self.hub("--address-failures", "100000")

    def text(self, port=None, **headers):
        return request(port or self.port, "GET", "/metrics",
                       {k.replace("_", "-"): v for k, v in headers.items()})

    def values(self):
        """{(name, labels): value}, read as Prometheus reads it."""
        answer = self.text()
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return {(s.name, tuple(sorted(s.labels.items()))): s.value
                for family in text_string_to_metric_families(answer.body.decode())
                for s in family.samples}

    def changes(self, act):
        """What `act` adds, but for the scraping itself."""
        before = self.values()
        act()
        after = self.values()
        assert before.keys() == after.keys()
        return {name_of(key): after[key] - before[key] for key in after
                if after[key] != before[key] and key[0] != "process_resident_memory_bytes"}

    def create(self, bearer, path=TOKENS):
        answer = self.call(self.port, "POST", path, {
            "token_label": "a", "scopes": ["repo:read"]}, bearer)
        assert answer.status == 201, answer.body
        token = answer.json().get("data", answer.json())
        record(token["token"])
        return token


def name_of(key):
    return key[0] + "".join(",%s=%s" % label for label in key[1])


def parse_fails(text):
    try:
        return not list(text_string_to_metric_families(text))
    except ValueError:
        return True


@case
def the_parser_reads_every_family_and_knows_bad_text(c):
    text = c.text().body.decode()
    families = {f.name: f for f in text_string_to_metric_families(text)}
    kinds = {"hub_token_verify_duration_seconds": "histogram", "hub_sign_ins_accepted": "counter",
             "hub_sign_ins_refused": "counter", "hub_tokens_issued": "counter",
             "hub_tokens_evicted": "counter", "hub_tokens": "gauge", "hub_http_responses": "counter",
             "hub_store_healthy": "gauge", "hub_store_bytes": "gauge",
             "hub_uses_dropped": "counter", "process_resident_memory_bytes": "gauge"}
    assert {name: f.type for name, f in families.items()} == kinds
    assert all(f.documentation and f.samples for f in families.values())
    assert parse_fails(text.replace('{method="token"}', '{method="token}'))
    values = c.values()
    assert values[("hub_store_healthy", ())] == 1 and values[("hub_store_bytes", ())] > 0
    assert values[("process_resident_memory_bytes", ())] > 1 << 20


@case
def verified_tokens_are_counted_by_reason_and_time(c):
    good, _ = c.issue("alice", "repo:read")
    inactive, token_id = c.issue("alice", "repo:read")
    c.patctl("deactivate", token_id)

    def judge():
        for _ in range(3):
            assert c.token(c.port, "alice", good).status == 200
        for _ in range(2):
            assert c.token(c.port, "alice", inactive).status == 401
        assert c.token(c.port, "bob", good).status == 401
        assert c.token(c.port, "bob", c.passwords["bob"]).status == 200
        assert c.token(c.port, "bob", "wrong").status == 401

    changes = c.changes(judge)
    assert changes["hub_sign_ins_accepted_total,method=token"] == 3
    assert changes["hub_sign_ins_accepted_total,method=password"] == 1
    refused = {k.split("=")[1]: v for k, v in changes.items() if "refused" in k}
    assert refused == {"inactive": 2, "wrong_account": 1, "wrong_password": 1}, refused
    assert changes["hub_token_verify_duration_seconds_count"] == 6
    assert changes["hub_token_verify_duration_seconds_bucket,le=+Inf"] == 6
    assert changes["hub_token_verify_duration_seconds_sum"] > 0
    values = c.values()
    buckets = [v for (name, labels), v in values.items() if name.endswith("_bucket")]
    assert buckets == sorted(buckets) and len(buckets) == 13, buckets


@case
def issued_evicted_active_and_inactive_are_counted(c):
    bearer = c.sign_in(c.port, "bob")
    made = []

    def make():
        made.extend(c.create(bearer) for _ in range(3))
        for _ in range(7):
            c.create(bearer, TOKENS + "/desktop-generate")
        c.call(c.port, "PATCH", TOKENS + "/" + made[0]["uuid"], {"is_active": False}, bearer)
        c.call(c.port, "DELETE", TOKENS + "/" + made[1]["uuid"], None, bearer)

    changes = c.changes(make)
    assert changes["hub_tokens_issued_total,origin=manual"] == 3
    assert changes["hub_tokens_issued_total,origin=auto"] == 7
    assert changes["hub_tokens_evicted_total"] == 2
    assert changes["hub_tokens,state=active"] == 6  # one manual, five auto
    assert changes["hub_tokens,state=inactive"] == 1
    # What another process does is seen as well.
    outside = c.changes(lambda: c.patctl("issue", "--account", "bob", "--description", "a",
                                         "--scope", "repo:read") and None)
    assert outside["hub_tokens,state=active"] == 1
    assert "hub_tokens_issued_total,origin=manual" not in outside


@case
def sign_ins_by_hand_are_counted(c):
    def sign_in():
        c.sign_in(c.port, "alice")
        c.sign_in(c.port, "bob")
        for _ in range(11):
            c.call(c.port, "POST", "/v2/users/login", {"username": "carol", "password": "wrong"})
        step = c.call(c.port, "POST", "/v2/users/login", {
            "username": "alice", "password": c.passwords["alice"]}).json()["login_2fa_token"]
        c.call(c.port, "POST", "/v2/users/2fa-login",
               {"code": "x", "login_2fa_token": record(step)})

    changes = c.changes(sign_in)
    assert changes["hub_sign_ins_accepted_total,method=password"] == 2
    assert changes["hub_sign_ins_refused_total,reason=wrong_password"] == 10
    assert changes["hub_sign_ins_refused_total,reason=throttled"] == 1
    assert changes["hub_sign_ins_refused_total,reason=wrong_code"] == 1
    assert changes["hub_http_responses_total,code=4xx"] >= 14


@case
def only_this_machine_and_whom_the_operator_names_may_read_them(c):
    assert c.text().status == 200
    assert c.text(X_Forwarded_For="203.0.113.9").status == 404
    assert c.text(X_Forwarded_For="127.0.0.1").status == 404
    assert c.text(Forwarded="for=127.0.0.1").status == 404
    child, port = c.hub("--trusted-proxy", "127.0.0.1", "--metrics-from", "203.0.113.9",
                        log="proxied.log")
    assert c.text(port, X_Forwarded_For="203.0.113.9").status == 200
    assert c.text(port, X_Forwarded_For="203.0.113.8").status == 404
    assert c.text(port).status == 200
    child.terminate()


@case
def every_line_of_the_log_is_json_with_no_secret_in_it(c):
    c.check_logs()
    lines = [json.loads(line) for line in c.log("hub.log").splitlines()]
    assert len(lines) > 50 and all(line["time"].endswith("Z") for line in lines)
    assert lines[0]["event"] == "listening" and lines[0]["port"] == c.port
    requests = [line for line in lines if line["event"] == "request"]
    for line in requests:
        assert {"method", "route", "status", "us", "ip"} <= line.keys(), line
        assert line.keys() <= {"time", "event", "ip", "method", "route", "status", "user", "reason",
                               "token", "us"}, line
    evicted = [line for line in lines if line["event"] == "tokens_evicted"]
    assert [len(line["tokens"]) for line in evicted] == [1, 1] and evicted[0]["user"] == "bob"
    made = [line["token"] for line in requests if line["status"] == 201]
    assert evicted[0]["tokens"][0] in made


if __name__ == "__main__":
    sys.exit(run_program(Context))

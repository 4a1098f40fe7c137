# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of AWS: spans of both sides against the accounts of boto3 and of the server under moto, one for one."""
from collections import Counter

import pytest

from rig.accounts import same
from rig.load import WAYS, Python, traced

N = 100
# what SQS says itself, where botocore has kept a name of before
CODES = {"AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist"}


@pytest.fixture(scope="module", params=WAYS)
def aws(request):
    return traced(request.param, Python("aws_serve.py"), "aws_load.py", N)


def test_calls_equal_both_accounts(aws):
    assert sum(aws.did.values()) > 1000
    want = Counter()
    for (service, op, code), n in aws.did.items():
        want[f"{service}.{op}", CODES.get(code, code)] += n
    clients, servers = aws.both
    for rows in aws.both:
        assert {(r["level"], r["proto"]) for r in rows} == {("aws", "http")}
        same((r["name"] for r in rows), Counter(name for name, _ in want.elements()), "boto3's calls")
        same(((r["attrs"]["http.request.method"], r["status"]) for r in rows), aws.account, "the server's account")
    same(((r["name"], r["error_type"] if r["error"] else None) for r in clients), want, "boto3's errors")
    assert not any(r["error"] for r in servers), "4xx is no failure of a server"


def test_a_call_says_what_the_conventions_ask_for(aws):
    for rows in aws.both:
        for r in rows:
            a, (service, op) = r["attrs"], r["name"].split(".")
            assert (a["rpc.system.name"], a["rpc.method"], a["cloud.region"]) == ("aws-api", f"{service}/{op}", "eu-west-1")
            assert r["op"] == op
            if service == "DynamoDB" and op != "CreateTable":
                table = "nobody" if r["status"] != "200" else "users"
                assert (a["db.system.name"], a["db.operation.name"], a["db.collection.name"],
                        a["aws.dynamodb.table_names"]) == ("aws.dynamodb", op, table, [table])
            elif service == "SQS" and op != "CreateQueue":
                assert a["messaging.system"] == "aws_sqs" and a["messaging.operation.name"] == op
                assert r["topic"] == ("orders" if r["status"] == "200" else "orderss")
                assert a["aws.sqs.queue.url"].endswith("/" + r["topic"])
            elif (service, op) == ("SNS", "Publish"):
                assert a["messaging.system"] == "aws.sns" and r["topic"] == ("news" if r["status"] == "200" else "newss")
            elif service == "S3" and op not in ("ListBuckets", "CreateBucket"):
                assert a["aws.s3.bucket"] == "photos"
        keys = [r["attrs"]["aws.s3.key"] for r in rows if r["name"] == "S3.PutObject"]
        assert len(set(keys)) == len(keys) == N and "2025/7%20a.txt" in keys
        assert all(r["attrs"].get("aws.request_id") for r in rows if r["name"].startswith(("DynamoDB", "S3")))


def test_nothing_of_a_signature_is_kept(aws):
    assert not any("AKIDEXAMPLE" in str(r) or "Signature" in str(r) for r in aws.rows)

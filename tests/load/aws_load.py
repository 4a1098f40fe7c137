# SPDX-License-Identifier: GPL-3.0-or-later
"""
Calls of AWS (boto3): aws_load.py PORT N MIDDLE. Waits for a line first; with MIDDLE=1 its connections are in
use by then. Prints what botocore says that it did: [service, operation, error code or null, count].
"""
import json
import sys
from collections import Counter

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

port, n, middle = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1"
did = Counter()


def after(parsed, model, **_):
    did[model.service_model.service_id, model.name, parsed.get("Error", {}).get("Code")] += 1


def client(name):
    made = boto3.client(name, endpoint_url=f"http://127.0.0.1:{port}", region_name="eu-west-1",
                        aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret",
                        config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}))
    made.meta.events.register("after-call", after)
    return made


def fails(call, **args):
    try:
        call(**args)
    except ClientError:
        return
    raise AssertionError("no error")


s3, sqs, sns, db, ssm = map(client, ("s3", "sqs", "sns", "dynamodb", "ssm"))


def prepare():
    s3.create_bucket(Bucket="photos", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    topic = sns.create_topic(Name="news")["TopicArn"]
    db.create_table(TableName="users", BillingMode="PAY_PER_REQUEST",
                    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    return queue, topic


def one(i, queue, topic):
    key = f"2025/{i} a.txt"
    s3.put_object(Bucket="photos", Key=key, Body=b'{"error":{"code":1}}' * (i * 13 % 400), ContentType="application/json")
    s3.get_object(Bucket="photos", Key=key)["Body"].read()
    s3.head_object(Bucket="photos", Key=key)
    fails(s3.get_object, Bucket="photos", Key="none")
    sqs.send_message(QueueUrl=queue, MessageBody="x" * (i * 31 % 6000))
    for m in sqs.receive_message(QueueUrl=queue).get("Messages", []):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=m["ReceiptHandle"])
    sns.publish(TopicArn=topic, Message="hello & good-bye")
    db.put_item(TableName="users", Item={"id": {"S": str(i)}})
    db.get_item(TableName="users", Key={"id": {"S": str(i)}})
    if i % 4 == 0:
        s3.copy_object(Bucket="photos", Key="copy", CopySource={"Bucket": "photos", "Key": key})
        s3.list_objects_v2(Bucket="photos", MaxKeys=3)
        fails(s3.head_object, Bucket="photos", Key="none")
        s3.delete_objects(Bucket="photos", Delete={"Objects": [{"Key": key}]})
        db.query(TableName="users", KeyConditionExpression="id = :i", ExpressionAttributeValues={":i": {"S": "1"}})
        db.batch_get_item(RequestItems={"users": {"Keys": [{"id": {"S": "1"}}]}})
        fails(db.get_item, TableName="nobody", Key={"id": {"S": "1"}})
        fails(sqs.send_message, QueueUrl=queue + "s", MessageBody="x")
        fails(sns.publish, TopicArn=topic + "s", Message="x")
        fails(ssm.get_parameter, Name="none")


where = prepare() if middle else None
did.clear()
print("ready", flush=True)
sys.stdin.readline()
where = where or prepare()
s3.list_buckets()
for i in range(n):
    one(i, *where)
print(json.dumps([[*k, v] for k, v in did.items()]))

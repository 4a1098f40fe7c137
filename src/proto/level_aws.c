// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * level_aws - calls of the services of AWS, and of what speaks like them.
 *
 * They are told by their signature (Signature Version 4), whose scope names region
 * and service wherever the request goes:
 *
 *	Authorization: AWS4-HMAC-SHA256 Credential=KEY/20250830/eu-west-1/sqs/aws4_request, ...
 *	GET /bucket/key?X-Amz-Credential=KEY%2F20250830%2Feu-west-1%2Fs3%2Faws4_request&...
 *
 * The operation is in X-Amz-Target (JSON protocols), in the parameter Action (the
 * query protocol), or follows from method and path (S3, level_aws_s3.c). Of the
 * signature nothing else is read, and nothing is kept.
 */
#include "proto/level_aws.h"

struct scope {
	struct str region, service;
};

/* Behind the last "/" or "%2F"; *rest is what was before that. */
static struct str last_part(struct str s, struct str *rest)
{
	for (size_t n = s.len; n > 0; n--) {
		struct str tail = { s.s + n - 1, s.len - n + 1 };
		size_t sep = *tail.s == '/' ? 1 : str_istarts(tail, "%2f") ? 3 : 0;

		if (!sep)
			continue;
		*rest = str_head(s, n - 1);
		return (struct str){ tail.s + sep, tail.len - sep };
	}
	*rest = STR_NULL;
	return s;
}

/* "KEY/20250830/eu-west-1/sqs/aws4_request"; of version 4A there is no region. */
static bool read_scope(struct str s, bool regional, struct scope *out)
{
	struct str key;

	if (!str_is(last_part(s, &s), "aws4_request"))
		return false;
	out->service = last_part(s, &s);
	out->region = regional ? last_part(s, &s) : STR_NULL;
	return last_part(s, &key).len == 8 && key.len && out->service.len;
}

static bool scope_of(const struct http1_head *h, struct str params, struct scope *out)
{
	static const char word[] = "Credential=";
	struct str s = h->authorization;
	const char *p, *end;

	if (!str_starts(s, "AWS4-")) {
		s = level_param(params, "X-Amz-Credential");
		return s.len && read_scope(s, true, out);
	}
	p = memmem(s.s, s.len, word, sizeof(word) - 1);
	if (!p)
		return false;
	p += sizeof(word) - 1;
	end = memchr(p, ',', (size_t)(s.s + s.len - p));
	return read_scope((struct str){ p, (size_t)((end ? end : s.s + s.len) - p) },
	                  str_starts(s, "AWS4-HMAC-"), out);
}

/* As its SDKs call them, by what they are signed for; NULL: signed, but no call of AWS. */
static struct str service_name(struct str s)
{
	static const struct {
		const char *scope, *name;
	} names[] = {
		{ "s3", "S3" },
		{ "s3express", "S3" },
		{ "sqs", "SQS" },
		{ "sns", "SNS" },
		{ "dynamodb", "DynamoDB" },
		{ "sts", "STS" },
		{ "iam", "IAM" },
		{ "kms", "KMS" },
		{ "ssm", "SSM" },
		{ "ec2", "EC2" },
		{ "lambda", "Lambda" },
		{ "kinesis", "Kinesis" },
		{ "firehose", "Firehose" },
		{ "events", "EventBridge" },
		{ "states", "SFN" },
		{ "logs", "CloudWatch Logs" },
		{ "monitoring", "CloudWatch" },
		{ "secretsmanager", "Secrets Manager" },
		{ "execute-api", NULL }, /* HTTP of others behind a gateway */
		{ "es", NULL },          /* OpenSearch */
		{ "aoss", NULL },
		{ "vpc-lattice-svcs", NULL },
		{ "aps", NULL }, /* Prometheus */
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (str_is(s, names[i].scope))
			return str_of(names[i].name);
	return s;
}

/* "DynamoDB_20120810.GetItem" */
static struct str target_op(struct str target)
{
	const char *dot = target.len ? memrchr(target.s, '.', target.len) : NULL;

	return dot ? (struct str){ dot + 1, (size_t)(target.s + target.len - dot - 1) } : STR_NULL;
}

static void set_op(struct str op, struct msg *out)
{
	if (!op.len)
		return;
	out->op = op;
	if (str_is(out->subject, "DynamoDB")) {
		msg_attr(out, ATTR_DB_SYSTEM, STR("aws.dynamodb"));
		msg_attr(out, ATTR_DB_OPERATION_NAME, op);
	} else if (str_is(out->subject, "SQS") || str_is(out->subject, "SNS")) {
		msg_attr(out, ATTR_MESSAGING_SYSTEM,
		         str_is(out->subject, "SQS") ? STR("aws_sqs") : STR("aws.sns"));
		msg_attr(out, ATTR_MESSAGING_OPERATION, op);
	}
}

/* ---- where messages go ---- */

/* The last part of "https://sqs.eu-west-1.amazonaws.com/123456789012/orders". */
static void set_queue(struct str url, struct msg *out)
{
	struct str rest, name = last_part(url, &rest);

	if (name.len && rest.len)
		out->topic = name;
}

/* Behind the last ":" of "arn:aws:sns:eu-west-1:123456789012:orders", coded or not. */
static void set_topic(struct str arn, struct msg *out)
{
	for (size_t n = arn.len; n > 0; n--) {
		struct str tail = { arn.s + n - 1, arn.len - n + 1 };
		size_t sep = *tail.s == ':' ? 1 : str_istarts(tail, "%3a") ? 3 : 0;

		if (!sep)
			continue;
		out->topic = (struct str){ tail.s + sep, tail.len - sep };
		return;
	}
}

/* ---- bodies ---- */

/* The first name in the object that stands under this key: tables of batches. */
static struct str first_key(struct json j, const char *key)
{
	if (!level_member(&j, key) || json_next(&j) != JSON_OBJ || json_next(&j) != JSON_KEY)
		return STR_NULL;
	return j.escaped ? STR_NULL : j.text;
}

static void json_body(struct str body, struct msg *out)
{
	struct json j = json_of(body);
	struct str table, url;

	if (json_next(&j) != JSON_OBJ)
		return;
	table = level_text(j, "TableName");
	if (!table.s)
		table = first_key(j, "RequestItems");
	if (table.len && str_is(out->subject, "DynamoDB")) {
		msg_attr(out, ATTR_DB_COLLECTION, table);
		msg_attr(out, ATTR_DYNAMODB_TABLES, table);
	}
	url = level_text(j, "QueueUrl");
	if (url.len && str_is(out->subject, "SQS")) {
		msg_attr(out, ATTR_SQS_URL, url);
		set_queue(url, out);
	}
}

static bool aws_body(unsigned int hints, struct str body, struct msg *out)
{
	(void)hints;
	if (!out->level)
		return false;
	if (*body.s == '{') {
		json_body(body, out);
		return true;
	}
	set_op(level_param(body, "Action"), out);
	if (str_is(out->subject, "SQS") && !out->topic.len)
		set_queue(level_param(body, "QueueUrl"), out);
	else if (str_is(out->subject, "SNS"))
		set_topic(level_param(body, "TopicArn"), out);
	return true;
}

/* ---- heads ---- */

static bool aws_head(const struct http1_head *h, struct msg *out)
{
	struct scope scope = { .region = STR_NULL };
	struct str params, path = level_path(h->target, &params), service;

	if (!scope_of(h, params, &scope))
		return false;
	service = service_name(scope.service);
	if (!service.s)
		return false;
	out->subject = service;
	out->flags |= MSG_F_DOTTED;
	msg_attr(out, ATTR_RPC_SYSTEM, STR("aws-api"));
	msg_attr(out, ATTR_CLOUD_REGION, scope.region);
	if (str_is(service, "S3")) {
		level_aws_s3(h, path, params, out);
		return true;
	}
	set_op(h->amz_target.s ? target_op(h->amz_target) : level_param(params, "Action"), out);
	if (str_is(service, "SQS") && path.len > 1)
		set_queue(path, out); /* requests that go to the queue's own address */
	return true;
}

static const struct proto_op ops[] = {
	{ "S3", OP_PARSED },
	{ "SQS", OP_PARSED },
	{ "SNS", OP_PARSED },
	{ "DynamoDB", OP_PARSED },
	{ "services of JSON and query protocols", OP_NAMED },
	{ "services of REST protocols: the method", OP_NAMED },
	{ "CBOR (smithy-rpc-v2-cbor)", OP_UNKNOWN },
	{ "requests without a signature", OP_UNKNOWN },
	{ NULL, OP_UNKNOWN },
};

const struct level level_aws = {
	.about = { .name = "aws",
	           .title = "Services of AWS: S3, SQS, SNS, DynamoDB and others",
	           .over = "http",
	           .limits = "told by the signature of version 4; the first 4 KiB of a body are "
	                     "read",
	           .ops = ops },
	.hints = LEVEL_AWS,
	.errors = LEVEL_FAILED,
	.head = aws_head,
	.body = aws_body,
};

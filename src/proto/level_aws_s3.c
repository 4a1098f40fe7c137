// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * level_aws_s3 - operations of S3, which are methods on the service, a bucket or an
 * object, and a parameter that names a part of that.
 *
 * The bucket is the first part of the path, or of the host's name where that goes on
 * with "s3" (bucket.s3.eu-west-1.amazonaws.com).
 */
#include "proto/level_aws.h"

enum place { SERVICE, BUCKET, OBJECT };

/* Those with a parameter go first; one whose parameter is NULL is for all others. */
static const struct {
	enum place place;
	const char *method, *param, *op;
} calls[] = {
	{ SERVICE, "GET", NULL, "ListBuckets" },
	{ BUCKET, "GET", "list-type", "ListObjectsV2" },
	{ BUCKET, "GET", "versions", "ListObjectVersions" },
	{ BUCKET, "GET", "uploads", "ListMultipartUploads" },
	{ BUCKET, "GET", "location", "GetBucketLocation" },
	{ BUCKET, "GET", "versioning", "GetBucketVersioning" },
	{ BUCKET, "GET", "acl", "GetBucketAcl" },
	{ BUCKET, "GET", "policy", "GetBucketPolicy" },
	{ BUCKET, "GET", "tagging", "GetBucketTagging" },
	{ BUCKET, "GET", "cors", "GetBucketCors" },
	{ BUCKET, "GET", "encryption", "GetBucketEncryption" },
	{ BUCKET, "GET", "lifecycle", "GetBucketLifecycleConfiguration" },
	{ BUCKET, "GET", NULL, "ListObjects" },
	{ BUCKET, "PUT", "versioning", "PutBucketVersioning" },
	{ BUCKET, "PUT", "acl", "PutBucketAcl" },
	{ BUCKET, "PUT", "policy", "PutBucketPolicy" },
	{ BUCKET, "PUT", "tagging", "PutBucketTagging" },
	{ BUCKET, "PUT", "cors", "PutBucketCors" },
	{ BUCKET, "PUT", "encryption", "PutBucketEncryption" },
	{ BUCKET, "PUT", "lifecycle", "PutBucketLifecycleConfiguration" },
	{ BUCKET, "PUT", "notification", "PutBucketNotificationConfiguration" },
	{ BUCKET, "PUT", NULL, "CreateBucket" },
	{ BUCKET, "POST", "delete", "DeleteObjects" },
	{ BUCKET, "DELETE", "policy", "DeleteBucketPolicy" },
	{ BUCKET, "DELETE", "tagging", "DeleteBucketTagging" },
	{ BUCKET, "DELETE", "cors", "DeleteBucketCors" },
	{ BUCKET, "DELETE", "lifecycle", "DeleteBucketLifecycle" },
	{ BUCKET, "DELETE", NULL, "DeleteBucket" },
	{ BUCKET, "HEAD", NULL, "HeadBucket" },
	{ OBJECT, "GET", "uploadId", "ListParts" },
	{ OBJECT, "GET", "acl", "GetObjectAcl" },
	{ OBJECT, "GET", "tagging", "GetObjectTagging" },
	{ OBJECT, "GET", "attributes", "GetObjectAttributes" },
	{ OBJECT, "GET", NULL, "GetObject" },
	{ OBJECT, "PUT", "uploadId", "UploadPart" },
	{ OBJECT, "PUT", "acl", "PutObjectAcl" },
	{ OBJECT, "PUT", "tagging", "PutObjectTagging" },
	{ OBJECT, "PUT", NULL, "PutObject" },
	{ OBJECT, "POST", "uploads", "CreateMultipartUpload" },
	{ OBJECT, "POST", "uploadId", "CompleteMultipartUpload" },
	{ OBJECT, "POST", "select", "SelectObjectContent" },
	{ OBJECT, "POST", "restore", "RestoreObject" },
	{ OBJECT, "DELETE", "uploadId", "AbortMultipartUpload" },
	{ OBJECT, "DELETE", "tagging", "DeleteObjectTagging" },
	{ OBJECT, "DELETE", NULL, "DeleteObject" },
	{ OBJECT, "HEAD", NULL, "HeadObject" },
};

/* "bucket.s3.amazonaws.com", "bucket.s3-eu-west-1.amazonaws.com": the bucket, else STR_NULL. */
static struct str bucket_of_host(struct str host)
{
	for (size_t i = 1; i + 4 < host.len; i++)
		if (!memcmp(host.s + i, ".s3", 3) && (host.s[i + 3] == '.' || host.s[i + 3] == '-'))
			return str_head(host, i);
	return STR_NULL;
}

/* Parameters that name an operation of theirs which the table does not have. */
static bool is_other(struct str params)
{
	static const char *const names[] = {
		"accelerate",        "analytics",      "intelligent-tiering",
		"inventory",         "legal-hold",     "logging",
		"metrics",           "notification",   "object-lock",
		"ownershipControls", "policyStatus",   "publicAccessBlock",
		"replication",       "requestPayment", "retention",
		"torrent",           "website",        "session",
		"encryption",        "metadataTable",  "metadataConfiguration",
	};

	for (size_t i = 0; params.s && i < sizeof(names) / sizeof(*names); i++)
		if (level_param(params, names[i]).s)
			return true;
	return false;
}

static const char *op_of(enum place place, struct str method, struct str params)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (calls[i].place != place || !str_is(method, calls[i].method))
			continue;
		if (calls[i].param ? level_param(params, calls[i].param).s != NULL
		                   : !is_other(params))
			return calls[i].op;
	}
	return NULL;
}

void level_aws_s3(const struct http1_head *h, struct str path, struct str params, struct msg *out)
{
	struct str bucket = bucket_of_host(h->host), key = path;
	enum place place;
	const char *op;

	if (key.len && *key.s == '/')
		key = (struct str){ key.s + 1, key.len - 1 };
	if (!bucket.s && key.len) {
		const char *slash = memchr(key.s, '/', key.len);
		size_t n = slash ? (size_t)(slash - key.s) : key.len;

		bucket = str_head(key, n);
		n += slash ? 1 : 0;
		key = (struct str){ key.s + n, key.len - n };
	}
	place = !bucket.len ? SERVICE : key.len ? OBJECT : BUCKET;
	op = op_of(place, h->method, params);
	if (h->amz_copy.s && str_is(str_of(op), "UploadPart"))
		op = "UploadPartCopy";
	else if (h->amz_copy.s && str_is(str_of(op), "PutObject"))
		op = "CopyObject";
	if (op)
		out->op = str_of(op);
	if (place != SERVICE)
		msg_attr(out, ATTR_S3_BUCKET, bucket);
	if (place == OBJECT)
		msg_attr(out, ATTR_S3_KEY, key);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * redis_load - a paced, pipelining Redis client on hiredis.
 *
 * usage: redis_load PORT COMMANDS PER_SECOND DEPTH CONNECTIONS
 *        redis_load PORT COMMANDS mixed
 *
 * The first form sends pipelines of DEPTH commands over CONNECTIONS and keeps
 * the rate; it prints how many answers came, how many were errors, and the rate
 * that it reached. The second form sends commands of many kinds, wrong ones too,
 * alone and in pipelines; a tenth of its answers is over 64 KiB, some over 10 MiB,
 * anywhere in a pipeline, and it receives up to 256 KiB a call. With LOAD_PAUSE_US
 * in the environment it rests so long after each pipeline.
 */
#include <hiredis/hiredis.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t errors, answers;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void sleep_until(double t)
{
	double d = t - now();

	if (d > 0) {
		struct timespec ts = { (time_t)d, (long)((d - (double)(time_t)d) * 1e9) };

		nanosleep(&ts, NULL);
	}
}

static redisContext *open_or_die(int port)
{
	redisContext *c = redisConnect("127.0.0.1", port);

	if (!c || c->err) {
		fprintf(stderr, "redis_load: %s\n", c ? c->errstr : "no memory");
		exit(1);
	}
	return c;
}

static void write_all(redisContext *c)
{
	int done = 0;

	while (!done)
		if (redisBufferWrite(c, &done) != REDIS_OK)
			exit(1);
}

/* hiredis itself receives at most 16 KiB a call. */
static void take(redisContext *c)
{
	static char in[256 << 10];
	redisReply *r = NULL;
	ssize_t n = 1;

	while (n > 0 && !redisGetReplyFromReader(c, (void **)&r) && !r) {
		n = recv(c->fd, in, sizeof(in), 0);
		if (n > 0)
			redisReaderFeed(c->reader, in, (size_t)n);
	}
	if (!r) {
		fprintf(stderr, "redis_load: no answer: %s\n", c->errstr);
		exit(1);
	}
	answers++;
	errors += r->type == REDIS_REPLY_ERROR;
	freeReplyObject(r);
}

static void append(redisContext *c, uint64_t i)
{
	switch (i % 8) {
	case 0:
		redisAppendCommand(c, "SET key:%llu value:%llu", i % 1000, i);
		break;
	case 1:
		redisAppendCommand(c, "GET key:%llu", i % 1000);
		break;
	case 2:
		redisAppendCommand(c, "INCR counter");
		break;
	case 3:
		redisAppendCommand(c, "HSET hash f%llu %llu", i % 50, i);
		break;
	case 4:
		redisAppendCommand(c, "HGET hash f%llu", i % 50);
		break;
	case 5:
		redisAppendCommand(c, "PING");
		break;
	case 6:
		redisAppendCommand(c, i % 56 == 6 ? "INCR hash" : "EXISTS key:%llu", i % 1000);
		break;
	default:
		redisAppendCommand(c, "MGET key:1 key:2 key:3");
		break;
	}
}

static void paced(int port, uint64_t total, double rate, unsigned int depth, unsigned int conns)
{
	redisContext *c[conns];
	double start = now();

	for (unsigned int k = 0; k < conns; k++)
		c[k] = open_or_die(port);
	for (uint64_t i = 0; i < total;) {
		for (unsigned int k = 0; k < conns; k++)
			for (unsigned int d = 0; d < depth; d++)
				append(c[k], i + k * depth + d);
		for (unsigned int k = 0; k < conns; k++)
			write_all(c[k]);
		for (unsigned int k = 0; k < conns; k++)
			for (unsigned int d = 0; d < depth; d++)
				take(c[k]);
		i += (uint64_t)conns * depth;
		sleep_until(start + (double)i / rate);
	}
	printf("answers %llu errors %llu rate %.0f\n", (unsigned long long)answers,
	       (unsigned long long)errors, (double)answers / (now() - start));
	for (unsigned int k = 0; k < conns; k++)
		redisFree(c[k]);
}

static const char *const kinds[] = {
	"SET k v",
	"GET k",
	"GET nothing",
	"INCR n",
	"INCR k",
	"LPUSH l a b c",
	"LPUSH k x",
	"LRANGE l 0 5",
	"HSET h a 1 b 2",
	"HGETALL h",
	"HGET k a",
	"SADD s a",
	"SMEMBERS s",
	"ZADD z 1 a",
	"ZRANGE z 0 -1",
	"NOSUCHCOMMAND a b",
	"GET",
	"EVAL return\\ 1 0",
	"EXPIRE k 100",
	"TTL k",
	"DEL l",
	"TYPE h",
	"SETEX t 100 v",
	"EXISTS k",
	"APPEND a x",
	"STRLEN a",
	"ECHO hello",
	"PING",
	"XADD st * f v",
	"EVALSHA aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 0",
	"OBJECT ENCODING k",
	"CONFIG GET maxmemory",
};

/* After each exchange, so that a slow machine is not asked for more than it carries. */
static void rest(void)
{
	const char *us = getenv("LOAD_PAUSE_US");

	if (us)
		usleep((useconds_t)atoi(us));
}

static void append_mixed(redisContext *c, uint64_t i, const char *big)
{
	if (i == 0 || i % 101 == 3)
		redisAppendCommand(c, "SET big %b", big, (size_t)70000);
	else if (i == 1)
		redisAppendCommand(c, "SET huge %b", big, (size_t)(11u << 20));
	else if (i % 2000 == 999)
		redisAppendCommand(c, "GET huge");
	else if (i % 9 == 0)
		redisAppendCommand(c, "GET big");
	else
		redisAppendCommand(c, kinds[i % (sizeof(kinds) / sizeof(*kinds))]);
}

static void mixed(int port, uint64_t total)
{
	redisContext *c = open_or_die(port);
	char *big = malloc(11u << 20);

	memset(big, 'x', 11u << 20);
	for (uint64_t i = 0; i < total;) {
		uint64_t n = i / 300 % 2 ? 1 + (i * 2654435761u >> 9) % 16 : 1;

		n = n < total - i ? n : total - i;
		for (uint64_t k = 0; k < n; k++)
			append_mixed(c, i + k, big);
		write_all(c);
		for (uint64_t k = 0; k < n; k++)
			take(c);
		i += n;
		rest();
	}
	free(big);
	printf("answers %llu errors %llu\n", (unsigned long long)answers,
	       (unsigned long long)errors);
	redisFree(c);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[3], "mixed"))
		mixed(atoi(argv[1]), strtoull(argv[2], NULL, 10));
	else if (argc == 6)
		paced(atoi(argv[1]), strtoull(argv[2], NULL, 10), atof(argv[3]),
		      (unsigned int)atoi(argv[4]), (unsigned int)atoi(argv[5]));
	else
		return fprintf(stderr,
		               "usage: redis_load PORT COMMANDS PER_SECOND DEPTH CONNECTIONS\n"),
		       2;
	return 0;
}

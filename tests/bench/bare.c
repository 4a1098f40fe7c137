/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bare - loads the bare probe on one process and drains its ring: bare OBJECT PID */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static int drop(void *ctx, void *data, size_t size)
{
	(void)ctx, (void)data, (void)size;
	return 0;
}

int main(int argc, char **argv)
{
	struct bpf_object *o = argc == 3 ? bpf_object__open_file(argv[1], NULL) : NULL;
	struct bpf_map *map;
	struct bpf_program *p;
	struct ring_buffer *rb;
	unsigned int pid, size;

	if (!o)
		return fprintf(stderr, "usage: bare OBJECT PID\n"), 2;
	pid = (unsigned int)atoi(argv[2]);
	bpf_object__for_each_map(map, o)
	{
		size_t n = 0;

		if (strstr(bpf_map__name(map), ".rodata"))
			memcpy((void *)bpf_map__initial_value(map, &n), &pid, sizeof(pid));
	}
	if (bpf_object__load(o))
		return 1;
	bpf_object__for_each_program(p, o)
	{
		if (!bpf_program__attach(p))
			return 1;
	}
	rb = ring_buffer__new(bpf_object__find_map_fd_by_name(o, "ring"), drop, NULL, NULL);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	fprintf(stderr, "bare: attached\n");
	while (!stop) {
		ring_buffer__consume(rb);
		usleep(5000);
	}
	for (size = 0; size < 2; size++) {
		unsigned long long n = 0;

		bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(o, "counts"), &size, &n);
		printf("%s %llu\n", size ? "dropped" : "written", n);
	}
	ring_buffer__free(rb);
	bpf_object__close(o);
	return 0;
}

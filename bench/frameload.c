// SPDX-License-Identifier: Apache-2.0
/*
 * Sends frames into a device from one CPU, and counts them where they come out:
 *
 *   frameload OBJECT FRAME CHUNKS FROM INTO SINK
 *
 * OBJECT is the built frames.bpf.o, FRAME the bytes in hex. FROM, INTO and SINK
 * are NAMESPACE/DEVICE: frames leave FROM, a veth, enter INTO, its peer, and
 * are counted and dropped at SINK, before any other program of that device: with
 * INTO as SINK it is the generator alone that is measured.
 *
 * All of it is work of the CPU this process runs on: the receiving side is a
 * soft interrupt of the sending one. Prints one JSON object. What is attached
 * hangs on descriptors of this process and goes with it.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "frames.h"

/* A test run cannot be interrupted: some tenths of a second each. */
#define CHUNK (BLOCK_FRAMES * CHUNK_BLOCKS)
#define MAX_CHUNKS 64
#define WARM_UP (1 << 16)
#define BATCH 64 /* as many as the kernel takes from its pool at once */

/* Missing in the headers of Linux 6.1. */
#define TCX_INGRESS 46
#define F_BEFORE (1 << 3)

struct place {
	char namespace[64];
	char device[IF_NAMESIZE];
	int ifindex;
};

static void die(const char *format, ...)
{
	int error = errno;
	va_list args;

	fputs("frameload: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(error));
	exit(1);
}

static void enter(const struct place *place)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", place->namespace);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("%s", path);
	close(fd);
}

static struct place place_of(const char *text)
{
	struct place place = {};

	if (sscanf(text, "%63[^/]/%15s", place.namespace, place.device) != 2) {
		errno = EINVAL;
		die("%s", text);
	}
	enter(&place);
	place.ifindex = if_nametoindex(place.device);
	if (!place.ifindex)
		die("%s", text);
	return place;
}

static int program(struct bpf_object *object, const char *name)
{
	struct bpf_program *found = bpf_object__find_program_by_name(object, name);

	if (!found)
		die("program %s", name);
	return bpf_program__fd(found);
}

/* Not libbpf's call: the options of 1.1 know no flags of TCX. */
static void attach(const struct place *place, int program_fd, int type, unsigned flags)
{
	struct {
		unsigned program, target, type, flags;
		char rest[112];
	} attr = { program_fd, place->ifindex, type, flags, {} };

	enter(place);
	if (syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr)) < 0)
		die("attach to %s/%s", place->namespace, place->device);
}

static void attach_pass(const struct place *place, struct bpf_object *object)
{
	attach(place, program(object, "pass"), BPF_XDP, XDP_FLAGS_DRV_MODE);
}

/* Before all other programs of the device. */
static void attach_sink(const struct place *place, struct bpf_object *object)
{
	attach(place, program(object, "sink"), TCX_INGRESS, F_BEFORE);
}

static volatile struct frame_job *map_job(struct bpf_object *object)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".bss");
	void *start = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, map ? bpf_map__fd(map) : -1, 0);

	if (start == MAP_FAILED)
		die("mmap of the programs' variables");
	return start;
}

static size_t parse_frame(const char *hex, unsigned char *frame, size_t space)
{
	size_t length = 0;
	unsigned byte;

	for (; length < space && sscanf(hex + 2 * length, "%2x", &byte) == 1; length++)
		frame[length] = byte;
	if (hex[2 * length] || length < 14) {
		errno = EINVAL;
		die("frame %s", hex);
	}
	return length;
}

static void generate(int program_fd, const void *frame, size_t length, unsigned count)
{
	struct xdp_md context = { .data_end = length };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = length, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH,
		    .repeat = count);

	if (bpf_prog_test_run_opts(program_fd, &run))
		die("test_run with live frames");
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* What a soft interrupt's own thread has still to do; until nothing has come for a while. */
static void settle(volatile struct frame_job *job, unsigned long long sent)
{
	unsigned long long seen;

	do {
		seen = job->arrived;
		if (seen >= sent)
			break;
		usleep(20000);
	} while (job->arrived != seen);
}

static struct bpf_object *load(const char *path)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);

	if (!object || bpf_object__load(object))
		die("%s", path);
	return object;
}

/* Of blocks the median: it does not hear of what else took the CPU for a while. */
static void measure(struct bpf_object *object, const unsigned char *frame, size_t length, int chunks)
{
	static double block_ns[MAX_CHUNKS * CHUNK_BLOCKS];
	volatile struct frame_job *job = map_job(object);
	int generator = program(object, "generate"), blocks = 0;
	unsigned long long sent = (unsigned long long)chunks * CHUNK;

	generate(generator, frame, length, WARM_UP);
	settle(job, WARM_UP);
	job->arrived = 0;
	for (int chunk = 0; chunk < chunks; chunk++) {
		job->sent = 0;
		generate(generator, frame, length, CHUNK);
		for (int i = 1; i < CHUNK_BLOCKS; i++)
			block_ns[blocks++] = job->block_ns[i] - job->block_ns[i - 1];
	}
	settle(job, sent);

	qsort(block_ns, blocks, sizeof(*block_ns), ascending);
	printf("{\"sent\":%llu,\"arrived\":%llu,\"ns\":%.1f}\n", sent, job->arrived,
	       block_ns[blocks / 2] / BLOCK_FRAMES);
}

int main(int argc, char **argv)
{
	unsigned char frame[sizeof(((struct frame_job *)0)->words)] = {};
	struct place from, into, sink;
	struct bpf_object *object;
	size_t length;
	int chunks;

	if (argc != 7) {
		fprintf(stderr, "usage: frameload OBJECT FRAME CHUNKS FROM INTO SINK\n");
		return 2;
	}
	length = parse_frame(argv[2], frame, sizeof(frame));
	chunks = atoi(argv[3]);
	if (chunks < 1 || chunks > MAX_CHUNKS) {
		errno = EINVAL;
		die("chunks %s", argv[3]);
	}
	from = place_of(argv[4]);
	into = place_of(argv[5]);
	sink = place_of(argv[6]);

	/* Others on this CPU would have frames wait for the soft interrupt's thread, until queues run over. */
	if (setpriority(PRIO_PROCESS, 0, -20))
		die("setpriority");
	object = load(argv[1]);
	memcpy((void *)map_job(object)->words, frame, sizeof(frame));
	map_job(object)->ifindex = from.ifindex;
	attach_pass(&into, object);
	attach_sink(&sink, object);
	enter(&from); /* where bpf_redirect looks the device up */
	measure(object, frame, length, chunks);
	return 0;
}

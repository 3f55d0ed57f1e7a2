// SPDX-License-Identifier: Apache-2.0
/*
 * Load for the benchmarks, one job a process, so that each end can be pinned:
 *
 *   netload sink  PORT SECONDS          counts UDP datagrams that arrive
 *   netload blast ADDR PORT SIZE SECONDS  sends UDP datagrams of SIZE bytes as fast as it can
 *   netload echo  PORT SECONDS          answers each UDP datagram with itself
 *   netload rr    ADDR PORT SIZE SECONDS  one request in flight, times each round trip
 *
 * Prints one JSON object. Every job ends by itself.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define MAX_SIZE 65536
#define MAX_SAMPLES 4000000

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "netload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int server(const char *port)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), space = 4 << 20;

	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)))
		die("bind");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &space, sizeof(space));
	return fd;
}

static int client(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1) {
		errno = EINVAL;
		die(address);
	}
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	return fd;
}

/* A blocking receive gives up after this: one system call a datagram, where poll would make it two. */
static void set_patience(int fd, long ms)
{
	struct timeval patience = { .tv_usec = ms * 1000 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

static void batch_init(struct mmsghdr *messages, struct iovec *vectors, char *buffer, size_t size, size_t stride)
{
	memset(messages, 0, BATCH * sizeof(*messages));
	for (int i = 0; i < BATCH; i++) {
		vectors[i].iov_base = buffer + i * stride;
		vectors[i].iov_len = size;
		messages[i].msg_hdr.msg_iov = &vectors[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
}

/* Waits for a datagram until `end`; 0 when the time is over. */
static int wait_readable(int fd, double end)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	double left = end - now();

	return left > 0 && poll(&p, 1, left * 1000 + 1) > 0;
}

static void run_sink(const char *port, double seconds)
{
	static char buffer[BATCH * 2048];
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	double end = now() + seconds, first = 0, last = 0;
	unsigned long long packets = 0;
	int fd = server(port);

	batch_init(messages, vectors, buffer, 2048, 2048);
	while (now() < end) {
		int got = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);

		if (got <= 0) {
			if (!wait_readable(fd, end))
				break;
			continue;
		}
		last = now();
		if (!packets)
			first = last;
		packets += got;
	}
	printf("{\"packets\":%llu,\"seconds\":%.6f}\n", packets, last - first);
}

static void run_blast(const char *address, const char *port, size_t size, double seconds)
{
	static char buffer[MAX_SIZE];
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	double start = now(), end = start + seconds;
	unsigned long long packets = 0;
	int fd = client(address, port);

	batch_init(messages, vectors, buffer, size, 0);
	while (now() < end) {
		int sent = sendmmsg(fd, messages, BATCH, 0);

		if (sent > 0)
			packets += sent;
	}
	printf("{\"packets\":%llu,\"seconds\":%.6f}\n", packets, now() - start);
}

static void run_echo(const char *port, double seconds)
{
	static char buffer[MAX_SIZE];
	double end = now() + seconds;
	int fd = server(port);

	set_patience(fd, 100);
	while (now() < end) {
		struct sockaddr_in from;
		socklen_t length = sizeof(from);
		ssize_t got = recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &length);

		if (got >= 0)
			sendto(fd, buffer, got, 0, (struct sockaddr *)&from, length);
	}
	printf("{}\n");
}

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void run_rr(const char *address, const char *port, size_t size, double seconds)
{
	static char buffer[MAX_SIZE];
	float *us = malloc(MAX_SAMPLES * sizeof(*us));
	double end = now() + seconds;
	size_t count = 0, lost = 0;
	int fd = client(address, port);

	if (!us)
		die("malloc");
	set_patience(fd, 200);
	while (count < MAX_SAMPLES) {
		double start = now();

		if (start >= end)
			break;
		if (send(fd, buffer, size, 0) < 0 || recv(fd, buffer, sizeof(buffer), 0) < 0) {
			lost++;
			continue;
		}
		us[count++] = (now() - start) * 1e6;
	}
	if (!count) {
		errno = ETIMEDOUT;
		die("no answer");
	}
	qsort(us, count, sizeof(*us), ascending);
	printf("{\"round_trips\":%zu,\"lost\":%zu,\"p50_us\":%.2f,\"p99_us\":%.2f}\n", count, lost, us[count / 2],
	       us[count * 99 / 100]);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "sink"))
		run_sink(argv[2], atof(argv[3]));
	else if (argc == 6 && !strcmp(argv[1], "blast") && atoi(argv[4]) <= MAX_SIZE)
		run_blast(argv[2], argv[3], atoi(argv[4]), atof(argv[5]));
	else if (argc == 4 && !strcmp(argv[1], "echo"))
		run_echo(argv[2], atof(argv[3]));
	else if (argc == 6 && !strcmp(argv[1], "rr") && atoi(argv[4]) <= MAX_SIZE)
		run_rr(argv[2], argv[3], atoi(argv[4]), atof(argv[5]));
	else {
		fprintf(stderr, "usage: netload sink|echo PORT SECONDS | blast|rr ADDR PORT SIZE SECONDS\n");
		return 2;
	}
	return 0;
}

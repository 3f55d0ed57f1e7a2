// SPDX-License-Identifier: Apache-2.0
/*
 * A UDP flow of numbered datagrams, to count what a network loses and doubles:
 *
 *   seqflow send ADDR PORT RATE SIZE   about RATE datagrams of SIZE bytes a second until SIGTERM
 *   seqflow receive PORT               counts until SIGTERM
 *
 * Each prints one JSON object when it ends. The receiver counts the runs of
 * numbers that were missing when a later one came (gaps), and tells the longest
 * silence between two datagrams. The sender never catches up after
 * it was held: a burst would overrun a queue and look like loss in the network.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD 64 /* the smallest */
#define PAYLOAD_MAX 65000
#define MAX_NUMBERS (1 << 27)

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static int die(const char *what)
{
	fprintf(stderr, "seqflow: %s: %s\n", what, strerror(errno));
	return 1;
}

static uint64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

static int send_flow(const char *address, const char *port, long rate, long size)
{
	static uint64_t payload[PAYLOAD_MAX / 8];
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST }, *to;
	uint64_t number = 0, refused = 0;
	struct timespec next;
	int fd;

	if (rate <= 0 || size < PAYLOAD || size > PAYLOAD_MAX || getaddrinfo(address, port, &hints, &to))
		return die(address);
	fd = socket(to->ai_family, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen))
		return die("connect");

	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!stopped) {
		payload[0] = htobe64(number);
		/* A number is used up only when the datagram left. */
		if (send(fd, payload, size, 0) == size)
			number++;
		else
			refused++;

		struct timespec now;
		long step = 1000000000L / rate;

		next.tv_nsec += step;
		if (next.tv_nsec >= 1000000000L) {
			next.tv_nsec -= 1000000000L;
			next.tv_sec++;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > next.tv_sec || (now.tv_sec == next.tv_sec && now.tv_nsec > next.tv_nsec))
			next = now;
		else
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	printf("{\"sent\":%llu,\"refused\":%llu}\n", (unsigned long long)number, (unsigned long long)refused);
	return 0;
}

static int receive_flow(const char *port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(port)) };
	unsigned char *seen = calloc(MAX_NUMBERS / 8, 1);
	static uint64_t payload[PAYLOAD_MAX / 8];
	uint64_t distinct = 0, duplicated = 0, late = 0, highest = 0, gaps = 0;
	uint64_t silence = 0, heard = 0;
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), space = 16 << 20;
	struct timeval patience = { .tv_usec = 200000 }; /* a signal just before recv is seen after this */

	if (!seen || fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)))
		return die("bind");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof(space));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	printf("{\"listening\":%s}\n", port);
	fflush(stdout);

	while (!stopped) {
		uint64_t number, now;

		if (recv(fd, payload, sizeof(payload), 0) < PAYLOAD)
			continue;
		now = milliseconds();
		if (heard && now - heard > silence)
			silence = now - heard;
		heard = now;
		number = be64toh(payload[0]);
		if (number >= MAX_NUMBERS)
			continue;
		if (seen[number / 8] & (1 << number % 8)) {
			duplicated++;
			continue;
		}
		seen[number / 8] |= 1 << number % 8;
		distinct++;
		if (number < highest)
			late++;
		else if (number > highest + 1)
			gaps++;
		if (number > highest)
			highest = number;
	}
	printf("{\"received\":%llu,\"duplicated\":%llu,\"reordered\":%llu,\"gaps\":%llu,\"longest_silence_ms\":%llu}\n",
	       (unsigned long long)distinct, (unsigned long long)duplicated, (unsigned long long)late,
	       (unsigned long long)gaps, (unsigned long long)silence);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (argc == 6 && !strcmp(argv[1], "send"))
		return send_flow(argv[2], argv[3], atol(argv[4]), atol(argv[5]));
	if (argc == 3 && !strcmp(argv[1], "receive"))
		return receive_flow(argv[2]);
	fprintf(stderr, "usage: seqflow send ADDR PORT RATE SIZE | seqflow receive PORT\n");
	return 2;
}

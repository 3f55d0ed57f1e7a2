// SPDX-License-Identifier: Apache-2.0
/*
 * UDP in bursts that the kernel cuts into datagrams (UDP_SEGMENT):
 *
 *   gsoburst send ADDR PORT COUNT   COUNT bursts of 10 datagrams
 *   gsoburst receive PORT           counts until SIGTERM
 *
 * Each byte of a datagram is its place in the flow, so that one that was cut at
 * another place, or put together of others, is not taken for right.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define DATAGRAM 1200
#define BURST 10

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static int die(const char *what)
{
	fprintf(stderr, "gsoburst: %s: %s\n", what, strerror(errno));
	return 1;
}

static int send_bursts(const char *address, const char *port, int count)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST }, *to;
	struct timespec pause = { .tv_nsec = 2000000 };
	unsigned char burst[DATAGRAM * BURST];
	int size = DATAGRAM, fd, i, j;

	if (getaddrinfo(address, port, &hints, &to))
		return die(address);
	fd = socket(to->ai_family, SOCK_DGRAM, 0);
	if (fd < 0 || setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)))
		return die("UDP_SEGMENT");
	for (i = 0; i < count; i++) {
		for (j = 0; j < BURST; j++)
			memset(burst + j * DATAGRAM, i * BURST + j, DATAGRAM);
		if (sendto(fd, burst, sizeof(burst), 0, to->ai_addr, to->ai_addrlen) != sizeof(burst))
			return die("send");
		nanosleep(&pause, NULL);
	}
	printf("{\"sent\":%d}\n", count * BURST);
	return 0;
}

static int is_whole(const unsigned char *data, ssize_t length)
{
	return length == DATAGRAM && !memcmp(data, data + 1, DATAGRAM - 1);
}

static int receive(const char *port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), whole = 0, wrong = 0;
	struct sigaction action = { .sa_handler = stop };
	unsigned char data[65536];

	any.sin6_port = htons(atoi(port));
	sigaction(SIGTERM, &action, NULL);
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)))
		return die("bind");
	puts("ready");
	fflush(stdout);
	while (!stopped) {
		ssize_t length = recv(fd, data, sizeof(data), 0);

		if (length >= 0 && is_whole(data, length))
			whole++;
		else if (length >= 0)
			wrong++;
	}
	printf("{\"whole\":%d,\"wrong\":%d}\n", whole, wrong);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "send"))
		return send_bursts(argv[2], argv[3], atoi(argv[4]));
	if (argc == 3 && !strcmp(argv[1], "receive"))
		return receive(argv[2]);
	fprintf(stderr, "usage: gsoburst send ADDR PORT COUNT | receive PORT\n");
	return 2;
}

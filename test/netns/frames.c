// SPDX-License-Identifier: Apache-2.0
/*
 * Numbered Ethernet frames of no protocol that a host would answer, to count
 * copies and to speak under any MAC address:
 *
 *   frames send DEV SOURCE DESTINATION COUNT   numbers from 0, 1 ms apart
 *   frames garp DEV SOURCE ADDRESS             one gratuitous ARP request
 *   frames raw DEV HEX                         any one frame
 *   frames count DEV                           until SIGTERM
 *
 * count prints one JSON object when it ends: how many different numbers came,
 * how many frames in all, and the most copies of one.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* IEEE 802: local experimental. */
#define ETHERTYPE 0x88b6
#define MAGIC 0x77656674
#define NUMBERS 65536

struct numbered {
	struct ether_header header;
	uint32_t magic;
	uint32_t number;
	uint8_t padding[38];
} __attribute__((packed));

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static int die(const char *what)
{
	fprintf(stderr, "frames: %s: %s\n", what, strerror(errno));
	return 1;
}

static int open_device(const char *device, uint16_t protocol)
{
	struct sockaddr_ll on = { .sll_family = AF_PACKET, .sll_protocol = htons(protocol) };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(protocol));

	on.sll_ifindex = if_nametoindex(device);
	if (fd < 0 || !on.sll_ifindex || bind(fd, (struct sockaddr *)&on, sizeof(on)))
		return -1;
	return fd;
}

static int fill_header(struct ether_header *header, const char *source, const char *destination, uint16_t type)
{
	struct ether_addr *from = ether_aton_r(source, (struct ether_addr *)header->ether_shost);
	struct ether_addr *to = ether_aton_r(destination, (struct ether_addr *)header->ether_dhost);

	header->ether_type = htons(type);
	return from && to ? 0 : -1;
}

static int send_frames(const char *device, const char *source, const char *destination, uint32_t count)
{
	struct numbered frame = { .magic = htonl(MAGIC) };
	int fd = open_device(device, ETHERTYPE);

	if (fd < 0 || fill_header(&frame.header, source, destination, ETHERTYPE))
		return die(device);
	for (uint32_t number = 0; number < count; number++) {
		frame.number = htonl(number);
		if (send(fd, &frame, sizeof(frame), 0) != sizeof(frame))
			return die("send");
		usleep(1000);
	}
	return 0;
}

static int send_garp(const char *device, const char *source, const char *address)
{
	struct {
		struct ether_header header;
		uint8_t fixed[8];
		uint8_t sender_mac[6], sender[4], target_mac[6], target[4], padding[18];
	} __attribute__((packed)) frame = { .fixed = { 0, 1, 8, 0, 6, 4, 0, 1 } };
	int fd = open_device(device, ETHERTYPE_ARP);

	if (fd < 0 || fill_header(&frame.header, source, "ff:ff:ff:ff:ff:ff", ETHERTYPE_ARP))
		return die(device);
	memcpy(frame.sender_mac, frame.header.ether_shost, 6);
	if (inet_pton(AF_INET, address, frame.sender) != 1)
		return die(address);
	memcpy(frame.target, frame.sender, 4);
	return send(fd, &frame, sizeof(frame), 0) == sizeof(frame) ? 0 : die("send");
}

static int send_raw(const char *device, const char *hex)
{
	unsigned char frame[ETHER_MAX_LEN];
	size_t size = strlen(hex) / 2;
	int fd = open_device(device, ETH_P_ALL);

	if (fd < 0 || size > sizeof(frame))
		return die(device);
	for (size_t at = 0; at < size; at++)
		if (sscanf(hex + 2 * at, "%2hhx", &frame[at]) != 1)
			return die(hex);
	return send(fd, frame, size, 0) == (ssize_t)size ? 0 : die("send");
}

static int count_frames(const char *device)
{
	static uint16_t copies[NUMBERS];
	uint32_t distinct = 0, total = 0, most = 0;
	int fd = open_device(device, ETHERTYPE), space = 4 << 20;
	struct timeval patience = { .tv_usec = 100000 };

	if (fd < 0)
		return die(device);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof(space));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	printf("{\"counting\":true}\n");
	fflush(stdout);
	while (!stopped) {
		struct numbered frame;
		struct sockaddr_ll from;
		socklen_t size = sizeof(from);
		uint32_t number;

		if (recvfrom(fd, &frame, sizeof(frame), 0, (struct sockaddr *)&from, &size) != sizeof(frame))
			continue;
		number = ntohl(frame.number);
		if (from.sll_pkttype == PACKET_OUTGOING || ntohl(frame.magic) != MAGIC || number >= NUMBERS)
			continue;
		total++;
		if (++copies[number] == 1)
			distinct++;
		if (copies[number] > most)
			most = copies[number];
	}
	printf("{\"distinct\":%u,\"total\":%u,\"most\":%u}\n", distinct, total, most);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (argc == 6 && !strcmp(argv[1], "send"))
		return send_frames(argv[2], argv[3], argv[4], atoi(argv[5]));
	if (argc == 5 && !strcmp(argv[1], "garp"))
		return send_garp(argv[2], argv[3], argv[4]);
	if (argc == 4 && !strcmp(argv[1], "raw"))
		return send_raw(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "count"))
		return count_frames(argv[2]);
	fprintf(stderr, "usage: frames send DEV SOURCE DESTINATION COUNT | garp DEV SOURCE ADDRESS | raw DEV HEX | count DEV\n");
	return 2;
}

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What frameload tells the programs of frames.bpf.c, and they it. */
#ifndef WEFT_BENCH_FRAMES_H
#define WEFT_BENCH_FRAMES_H

/* The longest frame is one of 60 bytes in 50 of Ethernet, IPv4, UDP and VXLAN. */
#define FRAME_WORDS 14

/* Time is taken at the start of each block: what else is in a test run is no work on frames. */
#define BLOCK_FRAMES (1 << 13)
#define CHUNK_BLOCKS 32

struct frame_job {
	unsigned long long words[FRAME_WORDS]; /* the frame to send */
	unsigned long long arrived;            /* IPv4 frames at the sink */
	unsigned long long sent;               /* in this chunk */
	unsigned long long block_ns[CHUNK_BLOCKS];
	unsigned int ifindex;                  /* where frames leave */
};

#endif

// SPDX-License-Identifier: GPL-2.0
/*
 * An ordinary polling program, as packet processing and control loops are:
 * all memory locked, no system call once it polls. It knows nothing of task
 * isolation; the same file runs in all three columns.
 *
 * usage: poller DESCRIPTOR
 */
#include "page.h"

#define POLLS_PER_PAUSE	64
#define MAILBOX_WORDS	16

static volatile uint64_t mailbox[MAILBOX_WORDS];

/* One pass. Returns the time of its last poll. */
static uint64_t poll_mailbox(void)
{
	uint64_t now = 0;
	uint64_t mail = 0;
	int i;

	for (i = 0; i < POLLS_PER_PAUSE; i++) {
		int word;

		now = read_tsc();
		for (word = 0; word < MAILBOX_WORDS; word++)
			mail |= mailbox[word];
	}
	if (mail)
		abort();
	/* Without this an emulator with one thread starves the other CPUs. */
	relax();
	return now;
}

int main(int argc, char **argv)
{
	struct page *page;
	uint64_t begin;
	uint64_t beats = 0;
	uint64_t iterations = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: poller DESCRIPTOR\n");
		return 2;
	}
	page = map_page(argv[1]);
	if (mlockall(MCL_CURRENT | MCL_FUTURE)) {
		perror("mlockall");
		return 1;
	}

	poll_mailbox();
	STORE(page->beats, ++beats);
	STORE(page->ready, 1);
	while (!LOAD(page->go)) {
		poll_mailbox();
		STORE(page->beats, ++beats);
	}

	begin = read_tsc();
	while (poll_mailbox() - begin < page->window) {
		iterations += POLLS_PER_PAUSE;
		STORE(page->beats, ++beats);
	}
	STORE(page->iterations, iterations);
	STORE(page->done, 1);

	while (!LOAD(page->stop)) {
		poll_mailbox();
		STORE(page->beats, ++beats);
	}
	return 0;
}

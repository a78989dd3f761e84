// SPDX-License-Identifier: GPL-2.0
/*
 * cpulist_compare [CORPUS ANSWERS] - 6.4: does the kernel's own parser answer
 * as ours did?
 *
 * Runs in the VM with the test module kernel_cpulist loaded. Without arguments
 * the corpus and the answers that were built in are used, so that the program
 * needs no files. One KTAP line for each bitmap size in the corpus.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KERNEL_FILE	"/proc/kernel_cpulist"
#define MAX_SIZES	16
#define SKIP		4

asm(".section .rodata\n"
    "corpus_start: .incbin \"" CORPUS "\"\n.byte 0\n"
    "answers_start: .incbin \"" ANSWERS "\"\n.byte 0\n"
    ".previous\n");
extern const char corpus_start[], answers_start[];

struct size_result {
	long nbits;
	unsigned int lines;
	unsigned int differing;
};

static char *read_file(const char *path)
{
	struct stat stat;
	char *text;
	int file = open(path, O_RDONLY);

	if (file < 0 || fstat(file, &stat)) {
		perror(path);
		exit(1);
	}
	text = calloc(1, stat.st_size + 1);
	if (!text || read(file, text, stat.st_size) != stat.st_size) {
		perror(path);
		exit(1);
	}
	close(file);
	return text;
}

/* Takes one line off a text, without its newline; NULL at the end. */
static char *next_line(char **text)
{
	char *line = *text, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	*text = end + 1;
	return line;
}

/* "\xNN" to bytes, in place; the length, for a byte may be anything. */
static size_t unescape(char *line)
{
	char *to = line, *from = line;
	char digits[3] = "";

	while (*from) {
		if (from[0] == '\\' && from[1] == 'x' && from[2] && from[3]) {
			memcpy(digits, from + 2, 2);
			*to++ = (char)strtol(digits, NULL, 16);
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	return to - line;
}

static int ask_kernel(const char *request, size_t length, char *answer, size_t size)
{
	int file = open(KERNEL_FILE, O_RDWR);
	ssize_t got;

	if (file < 0)
		return -1;
	if (write(file, request, length) != (ssize_t)length) {
		close(file);
		return -1;
	}
	got = read(file, answer, size - 1);
	close(file);
	if (got <= 0)
		return -1;
	answer[got] = '\0';
	answer[strcspn(answer, "\n")] = '\0';
	return 0;
}

static struct size_result *result_of(struct size_result *results, long nbits)
{
	struct size_result *result = results;

	while (result->nbits && result->nbits != nbits)
		result++;
	if (result == results + MAX_SIZES - 1) {
		fprintf(stderr, "more than %d bitmap sizes\n", MAX_SIZES - 1);
		exit(1);
	}
	result->nbits = nbits;
	return result;
}

int main(int argc, char **argv)
{
	struct size_result results[MAX_SIZES] = {}, *result;
	char *corpus, *answers, *line, *ours;
	unsigned int number = 0, failed = 0, tests = 0;
	char kernel[4096], shown[1024];

	corpus = argc == 3 ? read_file(argv[1]) : strdup(corpus_start);
	answers = argc == 3 ? read_file(argv[2]) : strdup(answers_start);

	printf("TAP version 13\n");
	if (access(KERNEL_FILE, R_OK | W_OK)) {
		printf("1..0 # SKIP %s: %s; load kernel_cpulist.ko\n", KERNEL_FILE,
		       strerror(errno));
		return SKIP;
	}

	while ((line = next_line(&corpus)) != NULL) {
		size_t length;

		number++;
		ours = next_line(&answers);
		if (!ours) {
			printf("Bail out! line %u has no answer\n", number);
			return 1;
		}
		snprintf(shown, sizeof(shown), "%s", line);
		result = result_of(results, strtol(line, NULL, 10));
		result->lines++;
		length = unescape(line);
		if (ask_kernel(line, length, kernel, sizeof(kernel))) {
			printf("# line %u (%s): %s\n", number, shown, strerror(errno));
			result->differing++;
		} else if (strcmp(kernel, ours)) {
			printf("# line %u (%s): the kernel says '%s', we say '%s'\n", number,
			       shown, kernel, ours);
			result->differing++;
		}
	}

	for (result = results; result->nbits; result++)
		tests++;
	printf("1..%u\n", tests);
	tests = 0;
	for (result = results; result->nbits; result++) {
		failed += result->differing != 0;
		printf("%sok %u p6_4_cpulist_as_the_kernel_%ld_bits # %u texts, %u differ\n",
		       result->differing ? "not " : "", ++tests, result->nbits, result->lines,
		       result->differing);
	}
	return failed != 0 || number == 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz.h - for fuzz targets: the input as numbers, texts and lines.
 *
 * A target is a file with LLVMFuzzerTestOneInput(), which libFuzzer calls with one input after the
 * other; CHECK() of the unit tests ends the program, which libFuzzer takes for the failure it is.
 * A comment `options: ...` in a target's head has options of libFuzzer for it; run.sh reads them.
 *
 * Texts are handed over in memory of just their size, so that AddressSanitizer sees a byte too far.
 */
#ifndef NETLOG_FUZZ_H
#define NETLOG_FUZZ_H

#include "base/util.h"
#include "tests/unit/test.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* libFuzzer ends the program without having stdout written. */
static void __attribute__((constructor)) stdout_unbuffer(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
}

/* Objects of megabytes come and go with each input: see tests/unit/main.c. Memory stays bounded. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "clear_shadow_mmap_threshold=4194304:quarantine_size_mb=16";
}

/* What is left of an input. */
struct input {
	const uint8_t *at;
	size_t left;
};

/* The next bytes; zeros where the input has ended. */
static inline void input_bytes(struct input *input, void *bytes, size_t size)
{
	const size_t length = size < input->left ? size : input->left;

	memset(bytes, 0, size);
	memcpy(bytes, input->at, length);
	input->at += length;
	input->left -= length;
}

static inline unsigned int input_byte(struct input *input)
{
	uint8_t byte;

	input_bytes(input, &byte, 1);
	return byte;
}

static inline uint64_t input_number(struct input *input, size_t size)
{
	uint64_t number = 0;

	input_bytes(input, &number, size);
	return number;
}

/* The bytes up to the next one that is `end`, which is skipped. The caller frees. */
static inline char *input_until(struct input *input, uint8_t end, size_t *ret_length)
{
	const uint8_t *found = memchr(input->at, end, input->left);
	const size_t length = found ? (size_t)(found - input->at) : input->left;
	char *text = malloc(length + 1);

	memcpy(text, input->at, length);
	text[length] = 0;
	input->at += length + !!found;
	input->left -= length + !!found;
	if (ret_length)
		*ret_length = length;
	return text;
}

/* The next line as a text: it ends at a NUL as well. The caller frees; NULL: there are no more. */
static inline char *input_line(struct input *input)
{
	_cleanup_free_ char *bytes = input->left ? input_until(input, '\n', NULL) : NULL;

	return bytes ? strdup(bytes) : NULL;
}

#endif

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * crc.c - CRC-32C: by the processor's instruction where there is one, else by tables, eight bytes
 * at a time.
 */
#include "base/crc.h"

#include <string.h>

#define POLYNOMIAL 0x82f63b78 /* of RFC 3720, appendix B.4; reflected */

static uint32_t tables[8][256]; /* [i][byte]: the byte, with i zero bytes behind it */

static void __attribute__((constructor)) tables_fill(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		tables[0][byte] = crc;
	}
	for (int i = 1; i < 8; i++)
		for (int byte = 0; byte < 256; byte++)
			tables[i][byte] =
				tables[i - 1][byte] >> 8 ^ tables[0][tables[i - 1][byte] & 0xff];
}

static uint32_t byte_add(uint32_t crc, uint8_t byte)
{
	return crc >> 8 ^ tables[0][(crc ^ byte) & 0xff];
}

uint32_t crc32c_in_software(uint32_t crc, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;

	crc = ~crc;
	for (; size >= 8; p += 8, size -= 8) {
		uint32_t low = crc ^ (p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
				      (uint32_t)p[3] << 24);

		crc = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^
		      tables[5][low >> 16 & 0xff] ^ tables[4][low >> 24] ^ tables[3][p[4]] ^
		      tables[2][p[5]] ^ tables[1][p[6]] ^ tables[0][p[7]];
	}
	while (size--)
		crc = byte_add(crc, *p++);
	return ~crc;
}

#if defined(__x86_64__)
static uint32_t __attribute__((target("sse4.2")))
crc_by_instruction(uint32_t crc, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	uint64_t state = ~crc;

	for (; size >= 8; p += 8, size -= 8) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		state = __builtin_ia32_crc32di(state, word);
	}
	while (size--)
		state = __builtin_ia32_crc32qi((uint32_t)state, *p++);
	return ~(uint32_t)state;
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t size)
{
	if (__builtin_cpu_supports("sse4.2"))
		return crc_by_instruction(crc, bytes, size);
	return crc32c_in_software(crc, bytes, size);
}
#else
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size)
{
	return crc32c_in_software(crc, bytes, size);
}
#endif

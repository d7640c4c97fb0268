/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * crc.h - CRC-32C (RFC 3720, appendix B.4).
 */
#ifndef NETLOG_CRC_H
#define NETLOG_CRC_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of the bytes, continued from `crc`; 0 to begin. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size);

/* The same without the processor's instruction. */
uint32_t crc32c_in_software(uint32_t crc, const void *bytes, size_t size);

#endif

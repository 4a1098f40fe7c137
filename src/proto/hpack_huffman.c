// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * hpack_huffman - the Huffman code of RFC 7541, Appendix B.
 *
 * The code is canonical: symbols in the order of code length, then value, have
 * consecutive codes. So the symbols in that order and the first code of each
 * length are the whole table.
 */
#include "proto/hpack_huffman.h"

/* clang-format off */
static const uint8_t symbols[256] = {
	48, 49, 50, 97, 99, 101, 105, 111, 115, 116, 32, 37, 45, 46, 47, 51, 52, 53, 54, 55, 56,
	57, 61, 65, 95, 98, 100, 102, 103, 104, 108, 109, 110, 112, 114, 117, 58, 66, 67, 68, 69,
	70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 89, 106, 107,
	113, 118, 119, 120, 121, 122, 38, 42, 44, 59, 88, 90, 33, 34, 40, 41, 63, 39, 43, 124,
	35, 62, 0, 36, 64, 91, 93, 126, 94, 125, 60, 96, 123, 92, 195, 208, 128, 130, 131, 162,
	184, 194, 224, 226, 153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230, 129,
	132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187,
	189, 190, 196, 198, 228, 232, 233, 1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150,
	151, 152, 155, 157, 158, 165, 166, 168, 174, 175, 180, 182, 183, 188, 191, 197, 231, 239,
	9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237, 199, 207, 234, 235, 192, 193,
	200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255, 203, 204, 211, 212, 214,
	221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254, 2, 3, 4, 5, 6, 7,
	8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127, 220,
	249, 10, 13, 22,
};

/* Codes of one length: how many, where their symbols begin, the first of them. */
static const struct {
	uint8_t bits, count, symbol;
	uint32_t first;
} lengths[] = {
	{ 5, 10, 0, 0x0 }, { 6, 26, 10, 0x14 }, { 7, 32, 36, 0x5c }, { 8, 6, 68, 0xf8 },
	{ 10, 5, 74, 0x3f8 }, { 11, 3, 79, 0x7fa }, { 12, 2, 82, 0xffa }, { 13, 6, 84, 0x1ff8 },
	{ 14, 2, 90, 0x3ffc }, { 15, 3, 92, 0x7ffc }, { 19, 3, 95, 0x7fff0 }, { 20, 8, 98, 0xfffe6 },
	{ 21, 13, 106, 0x1fffdc }, { 22, 26, 119, 0x3fffd2 }, { 23, 29, 145, 0x7fffd8 }, { 24, 12, 174, 0xffffea },
	{ 25, 4, 186, 0x1ffffec }, { 26, 15, 190, 0x3ffffe0 }, { 27, 19, 205, 0x7ffffde }, { 28, 29, 224, 0xfffffe2 },
	{ 30, 3, 253, 0x3ffffffc },
};
/* clang-format on */

enum { LENGTHS = sizeof(lengths) / sizeof(*lengths) };

/* The symbol that the window begins with and its length; 0 bits: none (EOS). */
static unsigned int symbol(uint32_t window, uint8_t *sym)
{
	for (size_t i = 0; i < LENGTHS; i++) {
		uint32_t code = (window >> (32 - lengths[i].bits)) - lengths[i].first;

		if (code < lengths[i].count) {
			*sym = symbols[lengths[i].symbol + code];
			return lengths[i].bits;
		}
	}
	return 0;
}

size_t hpack_huffman(struct str s, char *to, size_t room)
{
	const uint8_t *p = (const uint8_t *)s.s, *end = p + s.len;
	uint64_t window = 0; /* the next bits, at the upper end */
	unsigned int have = 0, bits;
	size_t len = 0;
	uint8_t sym;

	for (;;) {
		for (; have <= 56 && p < end; have += 8)
			window |= (uint64_t)*p++ << (56 - have);
		/* the last byte is filled up with ones, which are no symbol */
		if (have < 8 && window >> (63 - have) >> 1 == (1u << have) - 1)
			return len;
		bits = symbol((uint32_t)(window >> 32), &sym);
		if (!bits || bits > have)
			return SIZE_MAX;
		window <<= bits;
		have -= bits;
		if (len++ < room)
			to[len - 1] = (char)sym;
	}
}

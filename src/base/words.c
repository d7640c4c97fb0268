// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/words.h"

#include <ctype.h>
#include <stdbool.h>
#include <strings.h>

#include "base/util.h"

#define WORD_MAX 63 /* letters; longer words resemble nothing */
#define BEGIN_MIN 3 /* letters that are enough to be taken for the beginning of a word */

static unsigned int numbers(const struct vocabulary *vocabulary)
{
	return vocabulary->count + (vocabulary->more ? numbers(vocabulary->more) : 0);
}

static const char *word_of(const struct vocabulary *vocabulary, unsigned int number)
{
	for (; number >= vocabulary->count; vocabulary = vocabulary->more)
		number -= vocabulary->count;
	return vocabulary->word(number);
}

int word_number(const struct vocabulary *vocabulary, const char *text)
{
	for (unsigned int i = 0; i < numbers(vocabulary); i++) {
		const char *word = word_of(vocabulary, i);

		if (word && !strcmp(word, text))
			return (int)i;
	}
	return -ENOENT;
}

uint64_t word_bits(const struct vocabulary *vocabulary)
{
	uint64_t bits = 0;

	for (unsigned int i = 0; i < numbers(vocabulary); i++)
		if (word_of(vocabulary, i))
			bits |= BIT(i);
	return bits;
}

char *word_list(const struct vocabulary *vocabulary)
{
	char *list = NULL;
	size_t size;
	FILE *file = open_memstream(&list, &size);
	const char *separator = "";

	if (!file)
		return NULL;
	for (unsigned int i = 0; i < numbers(vocabulary); i++) {
		const char *word = word_of(vocabulary, i);

		if (!word)
			continue;
		fprintf(file, "%s%s", separator, word);
		separator = ", ";
	}
	if (fclose(file) != 0) {
		free(list);
		return NULL;
	}
	return list;
}

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/*
 * The number of steps from one word to the other: inserting, removing, changing a letter, or
 * swapping two neighbours (optimal string alignment). Row i, column j is the distance between the
 * first i letters of a and the first j of b; a row needs the two before it.
 */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int rows[3][WORD_MAX + 1], *row = rows[0];

	for (unsigned int j = 0; j <= strlen(b); j++)
		row[j] = j;
	for (unsigned int i = 1; i <= strlen(a); i++) {
		const unsigned int *above = row, *above_that = rows[(i + 1) % 3];

		row = rows[i % 3];
		row[0] = i;
		for (unsigned int j = 1; j <= strlen(b); j++) {
			row[j] = least(least(above[j], row[j - 1]) + 1,
				       above[j - 1] + !same_letter(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]))
				row[j] = least(row[j], above_that[j - 2] + 1);
		}
	}
	return row[strlen(b)];
}

const char *word_nearest(const struct vocabulary *vocabulary, const char *text)
{
	size_t length = strlen(text);
	unsigned int best = length < BEGIN_MIN ? 2 : (unsigned int)length / 3 + 1;
	const char *nearest = NULL;

	for (unsigned int i = 0; i < numbers(vocabulary); i++) {
		const char *word = word_of(vocabulary, i);
		unsigned int away;

		if (!word || strlen(word) > WORD_MAX || length > WORD_MAX)
			continue;
		away = distance(text, word);
		if (length >= BEGIN_MIN && !strncasecmp(word, text, length))
			away = least(away, 1);
		if (away < best) {
			best = away;
			nearest = word;
		}
	}
	return nearest;
}

char *word_hint(const struct vocabulary *vocabulary, const char *text)
{
	_cleanup_free_ char *list = word_list(vocabulary);
	const char *nearest = word_nearest(vocabulary, text);

	return setting_wrong("%s%s%sknown are: %s", nearest ? "did you mean " : "", nearest ?: "",
			     nearest ? "? " : "", list ?: "...");
}

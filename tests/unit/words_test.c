// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/util.h"
#include "base/words.h"
#include "test.h"

static const char *word(unsigned int number)
{
	static const char *const words[] = { "retransmit", NULL,       "rtt",	 "latency",
					     "max-size",   "max-rate", "events", "quiet" };

	return words[number];
}

static const struct vocabulary words = { "word", word, 8, NULL };

TEST(words_are_known_by_their_numbers)
{
	char *list = word_list(&words);

	CHECK_EQUAL(word_number(&words, "retransmit"), 0);
	CHECK_EQUAL(word_number(&words, "rtt"), 2);
	CHECK_EQUAL(word_number(&words, "rt"), -ENOENT);
	CHECK_EQUAL(word_number(&words, ""), -ENOENT);
	CHECK_EQUAL(word_bits(&words), 0xfd);
	CHECK_TEXT(list, "retransmit, rtt, latency, max-size, max-rate, events, quiet");
	free(list);
}

TEST(who_mistypes_a_word_is_told_which_was_meant)
{
	static const struct {
		const char *text, *meant;
	} texts[] = {
		{ "rtx", "rtt" },
		{ "RTT", "rtt" },
		{ "trt", "rtt" },
		{ "tr", NULL },
		{ "retransmits", "retransmit" },
		{ "retransmission", NULL },
		{ "retrasnmit", "retransmit" }, /* two have changed places */
		{ "ret", "retransmit" },
		{ "re", NULL }, /* too little to tell */
		{ "latncy", "latency" },
		{ "lateny", "latency" },
		{ "maxsize", "max-size" },
		{ "max-", "max-size" }, /* the first of two */
		{ "max_rate", "max-rate" },
		{ "evnets", "events" },
		{ "quit", "quiet" },
		{ "colour", NULL },
		{ "drops", NULL },
		{ "", NULL },
		{ "x", NULL },
		{ "retransmitretransmitretransmitretransmitretransmitretransmitretransmit", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *nearest = word_nearest(&words, texts[i].text);

		CHECK_SAYING(texts[i].meant ? nearest && !strcmp(nearest, texts[i].meant) :
					      !nearest,
			     "%s: %s", texts[i].text, nearest);
	}
}

TEST(the_hint_has_all_words)
{
	char *hint = word_hint(&words, "evnts");

	CHECK_TEXT(hint, "did you mean events? known are: retransmit, rtt, latency, max-size, "
			 "max-rate, events, quiet");
	free(hint);
	hint = word_hint(&words, "colour");
	CHECK_TEXT(hint, "known are: retransmit, rtt, latency, max-size, max-rate, events, quiet");
	free(hint);
}

/* Any bytes of any length: an answer, and nothing that the sanitizers would see. */
TEST(any_text_may_be_asked_about)
{
	uint64_t state = 7;

	for (int i = 0; i < 20000; i++) {
		char text[128];
		size_t length = test_random(&state) % sizeof(text);

		for (size_t k = 0; k < length; k++)
			text[k] = (char)(1 + test_random(&state) % 255);
		text[length] = 0;
		word_nearest(&words, text);
	}
}

TEST(a_list_says_when_it_has_no_room_for_more)
{
	char list[16] = "", tiny[sizeof(", ...")] = "";

	list_add(list, sizeof(list), "abc");
	list_add(list, sizeof(list), "defgh");
	CHECK_TEXT(list, "abc, defgh");
	list_add(list, sizeof(list), "i");
	CHECK_TEXT(list, "abc, defgh, ...");
	list_add(list, sizeof(list), "j");
	CHECK_TEXT(list, "abc, defgh, ...");
	list_add(tiny, sizeof(tiny), "abc");
	CHECK_TEXT(tiny, ", ...");
}

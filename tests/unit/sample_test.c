// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The arithmetic of sampling, as the kernel side has it, against streams of events whose truth is
 * known; and the words of --sample and --max-rate.
 */
#include <endian.h>

#include "base/util.h"
#include "bpf/sample.h"
#include "settings/rates.h"
#include "test.h"

#define FLOWS 100000
#define BUCKETS 64

static struct flow flow_make(uint32_t src, uint16_t src_port, uint32_t dest, uint16_t dest_port)
{
	return (struct flow){
		.ip_version = 4,
		.has_ports = true,
		.src_port = src_port,
		.dest_port = dest_port,
		.src.words[0] = src,
		.dest.words[0] = dest,
	};
}

static struct flow flow_turned(const struct flow *flow)
{
	struct flow turned = *flow;

	turned.src = flow->dest;
	turned.dest = flow->src;
	turned.src_port = flow->dest_port;
	turned.dest_port = flow->src_port;
	return turned;
}

/* Flows as they come: one server, and clients' ports, or addresses, in a row. */
static struct flow flow_nth(unsigned int set, unsigned int n)
{
	const uint32_t server = 0x0500000a; /* 10.0.0.5, network byte order */
	struct flow flow;

	if (set == 0) /* one client's ports */
		return flow_make(0x0100007f, (uint16_t)(1024 + n % 60000), 0x0100007f,
				 (uint16_t)(443 + n / 60000));
	if (set == 1) /* clients in a row, all with the same port */
		return flow_make(htobe32(0x0a010000 + n), 40000, server, 443);
	if (set == 2) /* the same port at both ends */
		return flow_make(htobe32(0xc0a80000 + n), 123, server, 123);
	flow = flow_make(0, (uint16_t)(32768 + n % 28000), 0, 5432); /* IPv6, hosts in a row */
	flow.ip_version = 6;
	flow.src.words[0] = flow.dest.words[0] = 0x77fd;
	flow.src.words[3] = htobe32(n / 28000 + 1);
	flow.dest.words[3] = htobe32(n % 7 + 2);
	return flow;
}

TEST(a_flow_s_hash_is_the_same_in_both_directions_and_in_every_namespace)
{
	uint64_t random = 4711;

	for (int i = 0; i < 10000; i++) {
		struct flow flow = {}, turned;

		for (int word = 0; word < 4; word++) {
			flow.src.words[word] = (uint32_t)test_random(&random);
			flow.dest.words[word] = (uint32_t)test_random(&random);
		}
		flow.src_port = (uint16_t)test_random(&random);
		flow.dest_port = (uint16_t)test_random(&random);
		turned = flow_turned(&flow);
		turned.netns = 4711;
		turned.has_ports = true;
		CHECK_EQUAL(sample_hash(&flow), sample_hash(&turned));
	}
}

/*
 * Chi squared of evenly filled buckets has BUCKETS - 1 degrees of freedom, a mean of 63 and a
 * standard deviation of 11.2: six of these above is one in some 10^7.
 */
TEST(hashes_of_flows_that_come_in_rows_are_evenly_spread)
{
	for (unsigned int set = 0; set < 4; set++) {
		double expected = (double)FLOWS / BUCKETS, chi = 0;
		unsigned int counts[BUCKETS] = {};

		for (unsigned int n = 0; n < FLOWS; n++) {
			struct flow flow = flow_nth(set, n);

			counts[sample_hash(&flow) / (UINT32_MAX / BUCKETS + 1)]++;
		}
		for (int i = 0; i < BUCKETS; i++)
			chi += (counts[i] - expected) * (counts[i] - expected) / expected;
		CHECK_SAYING(chi > 20 && chi < 63 + 6 * 11.2, "set %u: %f", set, chi);
	}
}

TEST(one_in_n_flows_is_kept_and_those_of_a_greater_n_are_among_them)
{
	static const uint32_t one_in[] = { 1, 2, 3, 10, 100, 1000 };

	for (unsigned int set = 0; set < 4; set++) {
		unsigned int kept[ARRAY_SIZE(one_in)] = {};

		for (unsigned int n = 0; n < FLOWS; n++) {
			struct flow flow = flow_nth(set, n);
			uint32_t hash = sample_hash(&flow);

			for (unsigned int i = 0; i < ARRAY_SIZE(one_in); i++) {
				kept[i] += sample_keeps(hash, one_in[i]);
				CHECK(!i || !sample_keeps(hash, one_in[i]) ||
				      sample_keeps(hash, one_in[i - 1]));
			}
		}
		CHECK_EQUAL(kept[0], FLOWS);
		for (unsigned int i = 1; i < ARRAY_SIZE(one_in); i++) {
			double expected = (double)FLOWS / one_in[i], off = kept[i] - expected;

			/* five standard deviations */
			CHECK_SAYING(off * off < 25 * expected, "set %u, 1 in %u: %u of %u", set,
				     one_in[i], kept[i], FLOWS);
		}
	}
}

TEST(the_bounds_of_the_hash_are_exact)
{
	CHECK(sample_keeps(0, 1U << 20));
	CHECK(sample_keeps(4095, 1U << 20) && !sample_keeps(4096, 1U << 20));
	CHECK(sample_keeps(UINT32_MAX, 1) && !sample_keeps(UINT32_MAX, 2));
	CHECK(sample_keeps(0x7fffffff, 2) && !sample_keeps(0x80000000, 2));
}

/* The kernel side's handling of an event, on one CPU */
struct stream {
	uint64_t used_ns, interval_ns;
	int64_t waiting;
	uint64_t weights, lines;
	uint32_t greatest;
};

static void stream_event(struct stream *stream, uint64_t now_ns, uint32_t one_in)
{
	uint32_t weight;

	if (stream->interval_ns && !pace_passes(stream->used_ns, now_ns)) {
		stream->waiting += one_in;
		return;
	}
	if (stream->used_ns < now_ns)
		stream->used_ns = now_ns;
	stream->used_ns += stream->interval_ns;
	weight = weight_takes(stream->waiting, one_in);
	stream->waiting -= weight;
	weight += one_in;
	stream->weights += weight;
	stream->lines++;
	if (weight > stream->greatest)
		stream->greatest = weight;
}

TEST(weights_add_up_to_every_event_but_those_still_waiting)
{
	struct stream stream = { .interval_ns = pace_interval_ns(1000) };
	uint64_t random = 815, now_ns = 1000000000, truth = 0;

	for (int i = 0; i < 1000000; i++) {
		uint32_t one_in = i < 500000 ? 1 : 10; /* as a reload would change it */

		now_ns += test_random(&random) % 20000;
		stream_event(&stream, now_ns, one_in);
		truth += one_in;
	}
	CHECK_EQUAL(stream.weights + (uint64_t)stream.waiting, truth);
	CHECK(stream.greatest > 1 && stream.waiting < 100000);
}

TEST(no_second_has_more_lines_than_the_rate_and_a_tenth_of_it)
{
	static const uint64_t rates[] = { 1, 3, 10, 1000, 300000 };

	for (unsigned int i = 0; i < ARRAY_SIZE(rates); i++) {
		struct stream stream = { .interval_ns = pace_interval_ns(rates[i]) };
		uint64_t now_ns = 5000000000, random = 42, before = 0;

		/* a million events a second, of which each second is looked at */
		for (int second = 0; second < 4; second++) {
			for (int n = 0; n < 1000000; n++)
				stream_event(&stream, now_ns += 500 + test_random(&random) % 1000,
					     1);
			CHECK_SAYING(stream.lines - before <= rates[i] + rates[i] / 10 + 2,
				     "%llu lines at %llu/s",
				     (unsigned long long)(stream.lines - before),
				     (unsigned long long)rates[i]);
			CHECK(stream.lines - before + 1 >= rates[i] * 9 / 10);
			before = stream.lines;
		}
	}
}

TEST(a_rate_that_is_not_reached_leaves_nothing_out)
{
	struct stream stream = { .interval_ns = pace_interval_ns(100) };
	uint64_t now_ns = 1;

	for (int i = 0; i < 1000; i++)
		stream_event(&stream, now_ns += 10000001, 1);
	CHECK_EQUAL(stream.lines, 1000);
	for (int i = 0; i < 10; i++) /* a tenth of a second's events may come at once */
		stream_event(&stream, now_ns, 1);
	CHECK_EQUAL(stream.lines, 1010);
	CHECK_EQUAL(stream.greatest, 1);
}

TEST(a_line_carries_no_more_than_its_field_holds)
{
	CHECK_EQUAL(weight_takes(0, 1), 0);
	CHECK_EQUAL(weight_takes(-5, 1), 0); /* two have taken the same */
	CHECK_EQUAL(weight_takes(7, 10), 7);
	CHECK_EQUAL(weight_takes((int64_t)1 << 40, 1U << 20), UINT32_MAX - (1U << 20));
	CHECK_EQUAL((int64_t)weight_takes(INT64_MAX, 1) + 1, UINT32_MAX);
}

TEST(pressure_rises_with_the_fill_and_falls_with_time)
{
	for (unsigned int fill = 0; fill < 8; fill++)
		CHECK_EQUAL(pressure_least(fill), 0);
	for (unsigned int fill = 9; fill <= 16; fill++)
		CHECK(pressure_least(fill) >= pressure_least(fill - 1));
	CHECK_EQUAL(pressure_least(8), 2);
	CHECK_EQUAL(pressure_least(15), 16);
	CHECK_EQUAL(pressure_least(16), 16);
	CHECK_EQUAL(pressure_lowered(5, 99999999), 5);
	CHECK_EQUAL(pressure_lowered(5, 100000000), 4);
	CHECK_EQUAL(pressure_lowered(5, 450000000), 1);
	CHECK_EQUAL(pressure_lowered(5, UINT64_MAX), 0);
	CHECK_EQUAL(pressure_lowered(0, 0), 0);
}

/*
 * While nobody reads, half of the ring takes in what comes: with records of 1/1000 of it, this many
 * events, of which none is lost.
 */
TEST(a_ring_that_nobody_reads_lasts_for_millions_of_events)
{
	uint64_t random = 99, records = 0, events = 0;

	while (records < 1000) {
		uint32_t shift = pressure_least(records * 16 / 1000);

		records += !(test_random(&random) >> 7 & (BIT(shift) - 1));
		events++;
	}
	CHECK_SAYING(events > 2000000, "%llu", (unsigned long long)events);
}

static void taken(const char *value, uint64_t max, const char *suffix, enum event_type type,
		  uint64_t number)
{
	const struct rate_form form = { max, suffix };
	struct figures rates = {};
	char *wrong = rates_take(&rates, value, &form);

	CHECK_SAYING(!wrong, "%s: %s", value, wrong);
	CHECK_EQUAL(rates.of[type], number);
}

static void refused(const char *value, const char *hint)
{
	const struct rate_form form = { ONE_IN_MAX, "/s" };
	struct figures rates = {};
	char *wrong = rates_take(&rates, value, &form);

	CHECK_SAYING(wrong && strstr(wrong, hint), "%s: %s", value, wrong);
	free(wrong);
}

TEST(rates_are_an_event_and_a_number)
{
	taken("rtt=10", ONE_IN_MAX, "", event_rtt, 10);
	taken("rtt=1048576", ONE_IN_MAX, "", event_rtt, 1048576);
	taken("rtt=10,retransmit=3", ONE_IN_MAX, "", event_retransmit, 3);
	taken("rtt=500/s", PER_SECOND_MAX, "/s", event_rtt, 500);
	taken("rtt=500", PER_SECOND_MAX, "/s", event_rtt, 500);
}

TEST(rates_that_cannot_be_used_are_refused_with_a_hint)
{
	refused("", "'' says no number; give EVENT=N, as rtt=10");
	refused("rtt", "'rtt' says no number");
	refused("rtt=10,", "'' says no number");
	refused("=10", "there is no event ''; known are: ");
	refused("start=10", "there is no event 'start'");
	refused("rtt=", "'' is no number for rtt; give one from 1 to 1048576");
	refused("rtt=/s", "'/s' is no number");
	refused("rtt=0", "'0' is no number");
	refused("rtt=-1", "'-1' is no number");
	refused("rtt=1.5", "'1.5' is no number");
	refused("rtt=1/m", "'1/m' is no number");
	refused("rtt=1048577", "'1048577' is no number");
	refused("rtt=18446744073709551617", "'18446744073709551617' is no number");
	refused("rtt=1,rtt=2", "rtt is given twice");
}

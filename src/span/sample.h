/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_SAMPLE_H
#define OBI_SPAN_SAMPLE_H

/*
 * sample - which spans are kept, by OpenTelemetry's samplers.
 *
 * The ratio is that of the ProbabilitySampler: a trace is kept where the
 * randomness in its id (the low 56 bits, or `rv` of its tracestate) is at or
 * above a threshold, so that every program that samples by the same ratio keeps
 * the same traces. The threshold is said in the tracestate ("ot=th:e666"), from
 * which others know that a kept span stands for 1 / ratio of them. `legacy` is
 * what older SDKs do, which keep the opposite end and say nothing.
 *
 * Parent-based: a span that has a parent follows the flag that its traceparent
 * carried, and passes its tracestate on as it is.
 *
 * https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */

#include "span/batch.h"

enum sample_how { SAMPLE_ALL, SAMPLE_NONE, SAMPLE_RATIO, SAMPLE_LEGACY };

struct sampler {
	enum sample_how how; /* SAMPLE_ALL and not parent-based: no sampling */
	bool parent_based;
	double ratio;
};

/* "0.1", "0.1:legacy": parent-based. False where it is no ratio from 0 to 1. */
bool sample_parse(struct str text, struct sampler *out);
/* OTEL_TRACES_SAMPLER and its _ARG (s == NULL: not set). 0, or -EINVAL: not known; out is as it was. */
int sample_named(struct str name, struct str arg, struct sampler *out);
bool sample_wanted(const struct sampler *s);

/* Whether the span is kept; what is kept by its ratio says so in its tracestate. */
bool sample_span(const struct sampler *s, struct span *row, struct batch *b);
/* The threshold as `th` says it, of at most 14 digits; false where there is none. */
bool sample_threshold(const struct sampler *s, char out[15]);

#endif

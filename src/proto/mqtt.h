/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_MQTT_H
#define OBI_PROTO_MQTT_H

/*
 * mqtt - what packets of MQTT are made of: fixed headers, texts, properties of
 * 5.0, reason codes. Sections are those of the OASIS standard of 5.0.
 */

#include "proto/proto.h"

enum type {
	CONNECT = 1,
	CONNACK,
	PUBLISH,
	PUBACK,
	PUBREC,
	PUBREL,
	PUBCOMP,
	SUBSCRIBE,
	SUBACK,
	UNSUBSCRIBE,
	UNSUBACK,
	PINGREQ,
	PINGRESP,
	DISCONNECT,
	AUTH,
};

enum { MQTT_V5 = 5, MQTT_FAILED = 0x80 };

struct packet {
	enum type type;
	uint8_t flags;
	uint32_t length;  /* of the rest */
	const uint8_t *p; /* where the rest begins */
};

/* The fixed header; false where it is none. c->over where it is not whole. */
bool mqtt_head(struct cur *c, struct packet *p);
/* A text behind its length of two bytes. */
struct str mqtt_text(struct cur *c);
/*
 * The properties of a packet: trace context into out, the alias of a topic into
 * *alias (may be NULL). False where they are none; c->over where they are not whole.
 */
bool mqtt_properties(struct cur *c, struct msg *out, uint16_t *alias);

/* Status and error of a reason code (2.4); below MQTT_FAILED all went well. */
void mqtt_status(struct msg *out, uint8_t code);
/* The same by the name of a code that 3.1.1 has. */
void mqtt_fail(struct msg *out, uint8_t code, struct str why);

#endif

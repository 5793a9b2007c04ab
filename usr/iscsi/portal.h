/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iscsi/portal.h - network portals: the sockets that targets are reached by.
 *
 * Every target is served on every portal.  Portals with the same portal group tag
 * form a portal group (RFC 7143 4.4.1), which is a target port to SCSI: the tag is
 * its relative target port identifier.
 * Control opens and closes them; reactors read the list for SendTargets.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ISCSI_PORTALS_MAX	256
#define ISCSI_PORTAL_GROUP	1	/* unless another is given */

/* --- control --- */

/*
 * Listen on @text: "[addr][:port]" with a numeric IPv4 address or an IPv6 one in
 * brackets; without address on all of both families, without port on 3260, with
 * port 0 on one that the system picks.  @tpgt (not 0): its portal group.
 *
 * Errors: -EINVAL (no such form), -EEXIST (that portal exists), -ENOSPC (too
 * many), and those of net_listener_open(): -EADDRINUSE, -EADDRNOTAVAIL (not an
 * address of this host), -EACCES.  @why says it in a sentence.
 */
int iscsi_portal_new(const char *text, uint16_t tpgt, char *why, size_t why_bytes);
/* Stop listening; sessions stay.  Errors: -EINVAL, -ENOENT. */
int iscsi_portal_delete(const char *text, char *why, size_t why_bytes);
/* Newest first, with the actual port. */
void iscsi_portal_each(void (*visit)(const struct sockaddr_storage *addr,
				     uint16_t tpgt, void *arg),
		       void *arg);
/* While closed (tgtadm: system state offline) connections wait to be accepted.  To end
 * them at once would be an error to an initiator that comes back after a restart, and
 * Linux may never get over one at the wrong moment.  Open at first. */
void iscsi_portal_set_open(bool open);
/* Close them all, at the end. */
void iscsi_portal_close_all(void);

/* --- any reader under RCU; valid for this turn --- */

struct iscsi_portal_list {
	unsigned int n;
	struct iscsi_portal_addr {
		struct sockaddr_storage addr;
		uint16_t tpgt;
	} e[];
};

/* NULL: there is none. */
const struct iscsi_portal_list *iscsi_portal_list(void);

/*
 * The address at which the initiator of a connection that came to @local can
 * reach a portal: its own, or for a portal on all addresses the one that this
 * initiator used.  False: it cannot (another family, or an address that only
 * this host knows).
 */
bool iscsi_portal_reachable(const struct iscsi_portal_addr *portal,
			    const struct sockaddr_storage *local,
			    struct sockaddr_storage *ret_addr);

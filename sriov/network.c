// SPDX-License-Identifier: GPL-2.0-only
/* A virtual function's settings, which its card's driver keeps: rtnetlink(7), IFLA_VFINFO_LIST. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <netlink/route/link.h>
#include <netlink/route/link/sriov.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "sriov/internal.h"

static struct nl_sock *route_open(void)
{
	struct nl_sock *sock = nl_socket_alloc();

	if (sock && nl_connect(sock, NETLINK_ROUTE)) {
		nl_socket_free(sock);
		sock = NULL;
	}
	return sock;
}

/* libnl's error, as errno as far as there is one. */
static int nl_errno(int err)
{
	switch (-err) {
	case NLE_OPNOTSUPP:
		return -EOPNOTSUPP;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_BUSY:
		return -EBUSY;
	case NLE_NODEV:
	case NLE_OBJ_NOTFOUND:
		return -ENODEV;
	default:
		return -EINVAL;
	}
}

static void mac_get(struct rtnl_link_vf *vf, uint8_t mac[6])
{
	struct nl_addr *address;

	if (!rtnl_link_vf_get_addr(vf, &address) && nl_addr_get_len(address) == 6)
		memcpy(mac, nl_addr_get_binary_addr(address), 6);
}

static void vlan_get(struct rtnl_link_vf *vf, struct vf_settings *settings)
{
	nl_vf_vlans_t *vlans;

	settings->protocol = htons(ETH_P_8021Q);
	if (rtnl_link_vf_get_vlans(vf, &vlans))
		return;
	if (vlans->size > 0) {
		settings->vlan = (uint16_t)vlans->vlans[0].vf_vlan;
		settings->qos = (uint16_t)vlans->vlans[0].vf_vlan_qos;
		if (vlans->vlans[0].vf_vlan_proto)
			settings->protocol = htons(vlans->vlans[0].vf_vlan_proto);
	}
	rtnl_link_vf_vlan_put(vlans);
}

/* Attributes that a driver doesn't have keep their usual value. */
static void settings_get(struct rtnl_link_vf *vf, struct vf_settings *settings)
{
	struct nl_vf_rate rate = { 0 };
	uint32_t value;

	*settings = (struct vf_settings){ 0 };
	mac_get(vf, settings->mac);
	vlan_get(vf, settings);
	if (!rtnl_link_vf_get_rate(vf, &rate)) {
		settings->rate = rate.api == RTNL_LINK_VF_RATE_API_OLD ? rate.rate : rate.max_tx_rate;
		settings->min_rate = rate.api == RTNL_LINK_VF_RATE_API_OLD ? 0 : rate.min_tx_rate;
	}
	if (!rtnl_link_vf_get_spoofchk(vf, &value))
		settings->spoof_check = value == 1;
	if (!rtnl_link_vf_get_trust(vf, &value))
		settings->trust = value == 1;
	if (!rtnl_link_vf_get_linkstate(vf, &value))
		settings->link = value;
}

int vf_read(const char *interface, unsigned int vf, struct vf_settings *settings)
{
	struct nl_sock *sock = route_open();
	struct rtnl_link *link = NULL;
	struct rtnl_link_vf *found;
	int err = sock ? rtnl_link_get_kernel(sock, 0, interface, &link) : -NLE_NOMEM;

	if (!err) {
		found = rtnl_link_vf_get(link, vf);
		if (found)
			settings_get(found, settings);
		err = found ? 0 : -NLE_NODEV;
		if (found)
			rtnl_link_vf_put(found);
	}
	if (link)
		rtnl_link_put(link);
	nl_socket_free(sock);
	return err ? nl_errno(err) : 0;
}

/* --- writing: one setting a message, so that an error says which --- */

static int mac_put(struct rtnl_link_vf *vf, const struct vf_settings *wanted)
{
	struct nl_addr *address = nl_addr_build(AF_LLC, wanted->mac, 6);

	if (!address)
		return -NLE_NOMEM;
	rtnl_link_vf_set_addr(vf, address); /* takes a reference */
	nl_addr_put(address);
	return 0;
}

static int vlan_put(struct rtnl_link_vf *vf, const struct vf_settings *wanted)
{
	nl_vf_vlans_t *vlans;
	int err = rtnl_link_vf_vlan_alloc(&vlans, 1);

	if (err)
		return err;
	vlans->vlans[0].vf_vlan = wanted->vlan;
	vlans->vlans[0].vf_vlan_qos = wanted->qos;
	vlans->vlans[0].vf_vlan_proto = ntohs(wanted->protocol);
	rtnl_link_vf_set_vlans(vf, vlans);
	rtnl_link_vf_vlan_put(vlans);
	return 0;
}

static int rate_put(struct rtnl_link_vf *vf, const struct vf_settings *wanted)
{
	struct nl_vf_rate rate = { .api = RTNL_LINK_VF_RATE_API_NEW,
				   .max_tx_rate = wanted->rate,
				   .min_tx_rate = wanted->min_rate };

	rtnl_link_vf_set_rate(vf, &rate);
	return 0;
}

static int spoof_check_put(struct rtnl_link_vf *vf, const struct vf_settings *wanted)
{
	rtnl_link_vf_set_spoofchk(vf, wanted->spoof_check);
	return 0;
}

static int trust_put(struct rtnl_link_vf *vf, const struct vf_settings *wanted)
{
	rtnl_link_vf_set_trust(vf, wanted->trust);
	return 0;
}

static int link_put(struct rtnl_link_vf *vf, const struct vf_settings *wanted)
{
	rtnl_link_vf_set_linkstate(vf, wanted->link);
	return 0;
}

static bool mac_same(const struct vf_settings *a, const struct vf_settings *b)
{
	return memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
}

static bool vlan_same(const struct vf_settings *a, const struct vf_settings *b)
{
	return a->vlan == b->vlan && a->qos == b->qos && (!a->vlan || a->protocol == b->protocol);
}

static bool rate_same(const struct vf_settings *a, const struct vf_settings *b)
{
	return a->rate == b->rate && a->min_rate == b->min_rate;
}

static bool spoof_check_same(const struct vf_settings *a, const struct vf_settings *b)
{
	return a->spoof_check == b->spoof_check;
}

static bool trust_same(const struct vf_settings *a, const struct vf_settings *b)
{
	return a->trust == b->trust;
}

static bool link_same(const struct vf_settings *a, const struct vf_settings *b)
{
	return a->link == b->link;
}

static const struct {
	const char *name;
	int (*put)(struct rtnl_link_vf *vf, const struct vf_settings *wanted);
	bool (*same)(const struct vf_settings *a, const struct vf_settings *b);
} settings_table[] = {
	{ "trust", trust_put, trust_same }, /* first: some drivers let a trusted one have other addresses alone */
	{ "mac", mac_put, mac_same },	    { "vlan", vlan_put, vlan_same },
	{ "rate", rate_put, rate_same },    { "spoof_check", spoof_check_put, spoof_check_same },
	{ "link", link_put, link_same },
};

const char *vf_differs(const struct vf_settings *found, const struct vf_settings *wanted)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings_table); i++)
		if (!settings_table[i].same(found, wanted))
			return settings_table[i].name;
	return NULL;
}

static int setting_put(struct nl_sock *sock, struct rtnl_link *link, unsigned int vf, size_t which,
		       const struct vf_settings *wanted)
{
	struct rtnl_link *change = rtnl_link_alloc();
	struct rtnl_link_vf *info = rtnl_link_vf_alloc();
	int err = change && info ? 0 : -NLE_NOMEM;

	if (!err) {
		rtnl_link_vf_set_index(info, vf);
		err = settings_table[which].put(info, wanted);
	}
	if (!err)
		err = rtnl_link_vf_add(change, info);
	if (!err)
		err = rtnl_link_change(sock, link, change, 0);
	if (info)
		rtnl_link_vf_put(info);
	if (change)
		rtnl_link_put(change);
	return err;
}

int vf_write(const char *interface, unsigned int vf, const struct vf_settings *old, const struct vf_settings *wanted)
{
	struct nl_sock *sock = route_open();
	struct rtnl_link *link = NULL;
	int err = sock ? rtnl_link_get_kernel(sock, 0, interface, &link) : -NLE_NOMEM;

	if (err)
		fail(nl_errno(err), "functions: %s: netlink: %s", interface, nl_geterror(err));
	for (size_t i = 0; !err && i < ARRAY_SIZE(settings_table); i++) {
		if (settings_table[i].same(old, wanted))
			continue;
		err = setting_put(sock, link, vf, i, wanted);
		if (err)
			fail(nl_errno(err), "functions: %s: virtual function %u: %s: its driver refuses it: %s",
			     interface, vf, settings_table[i].name, nl_geterror(err));
	}
	if (link)
		rtnl_link_put(link);
	nl_socket_free(sock);
	return err ? nl_errno(err) : 0;
}

int interface_up(const char *interface, bool up)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCGIFFLAGS, &request))
		err = -errno;
	request.ifr_flags = (short)(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
	if (!err && ioctl(fd, SIOCSIFFLAGS, &request))
		err = -errno;
	close(fd);
	return err;
}

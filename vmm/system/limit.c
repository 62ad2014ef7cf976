// SPDX-License-Identifier: GPL-2.0-only
/*
 * How often each user may ask: a bucket that fills at a rate, from which each request takes one, and one that changes
 * something, which is written to disk, CHANGE_COST. So one that floods us keeps the loop from no other user.
 */
#include "base/util.h"
#include "vmm/system/limit.h"

#define CHANGE_COST 5
#define SECOND	    INT64_C(1000000000)

/* That of @uid; a new one is full. Of too many users the one that has asked for nothing for longest is forgotten. */
static struct bucket *bucket_find(struct limit *limit, uid_t uid, int64_t now)
{
	struct bucket *oldest = limit->buckets;

	for (unsigned int i = 0; i < limit->count; i++) {
		struct bucket *bucket = &limit->buckets[i];

		if (bucket->uid == uid)
			return bucket;
		if (bucket->at < oldest->at)
			oldest = bucket;
	}
	if (limit->count < LIMIT_USERS)
		oldest = &limit->buckets[limit->count++];
	*oldest = (struct bucket){ .uid = uid, .left = limit->burst * SECOND, .at = now };
	return oldest;
}

unsigned int limit_take(struct limit *limit, uid_t uid, bool change, int64_t now)
{
	struct bucket *bucket = bucket_find(limit, uid, now);
	int64_t cost = (change ? CHANGE_COST : 1) * SECOND, full = limit->burst * SECOND;
	int64_t gone = MIN(MAX(now - bucket->at, 0), full / limit->rate + 1);

	bucket->left = MIN(bucket->left + gone * limit->rate, full);
	bucket->at = now;
	if (bucket->left >= cost) {
		bucket->left -= cost;
		return 0;
	}
	return (unsigned int)((cost - bucket->left) / limit->rate / SECOND + 1);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Zeroes into memory, in the ways that x86 processors have. Stores that go past the caches don't read what they
 * overwrite; which way is fastest differs by model, so it is measured.
 */
#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "memmap/internal.h"

#define LINE  64
#define PIECE MIB(2) /* that one loop is measured on, at a time */
#define TRIES 3	     /* the fastest counts: whatever interrupts makes it slower */

static bool always(void)
{
	return true;
}

static void zero_memset(void *to, uint64_t len)
{
	memset(to, 0, len);
}

static void zero_rep_stosb(void *to, uint64_t len)
{
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(len) : "a"(0) : "memory");
}

static void zero_sse2(void *to, uint64_t len)
{
	const __m128i zero = _mm_setzero_si128();

	for (char *at = to, *end = at + len; at < end; at += LINE)
		for (int i = 0; i < 4; i++)
			_mm_stream_si128((__m128i *)(void *)(at + 16 * i), zero);
	_mm_sfence();
}

/* That the system keeps the registers of AVX as well: GCC's function asks XGETBV. */
static bool avx_is_there(void)
{
	return __builtin_cpu_supports("avx");
}

__attribute__((target("avx"))) static void zero_avx(void *to, uint64_t len)
{
	const __m256i zero = _mm256_setzero_si256();

	for (char *at = to, *end = at + len; at < end; at += LINE)
		for (int i = 0; i < 2; i++)
			_mm256_stream_si256((__m256i *)(void *)(at + 32 * i), zero);
	_mm_sfence();
}

/* APM vol. 3, CPUID Fn8000_0008 EBX[CLZERO] */
static bool clzero_is_there(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(0x80000008, &eax, &ebx, &ecx, &edx) && ebx & 1;
}

/* APM vol. 3, CLZERO: the cache line at RAX becomes zero, weakly ordered. */
static void zero_clzero(void *to, uint64_t len)
{
	for (char *at = to, *end = at + len; at < end; at += LINE)
		__asm__ volatile(".byte 0x0f, 0x01, 0xfc" : : "a"(at) : "memory");
	_mm_sfence();
}

/* The first is taken where there is too little memory to measure. */
static const struct store_loop loops[] = {
	{ "sse2", always, zero_sse2 },
	{ "avx", avx_is_there, zero_avx },
	{ "clzero", clzero_is_there, zero_clzero },
	{ "memset", always, zero_memset },
	{ "rep stosb", always, zero_rep_stosb },
};

const struct store_loop *store_at(unsigned int i)
{
	for (size_t n = 0; n < ARRAY_SIZE(loops); n++)
		if (loops[n].is_there() && i-- == 0)
			return &loops[n];
	return NULL;
}

const struct store_loop *store_choose(void *bytes, uint64_t len, uint64_t *done)
{
	const struct store_loop *best = &loops[0], *loop;
	int64_t shortest = INT64_MAX, last[ARRAY_SIZE(loops)] = { 0 };
	char *at = bytes;

	*done = 0;
	if (len < ARRAY_SIZE(loops) * TRIES * PIECE)
		return best;
	/* each piece is written once, so that none is in a cache; what takes twice as long isn't tried again */
	for (unsigned int i = 0; i < TRIES; i++) {
		for (unsigned int n = 0; (loop = store_at(n)); n++) {
			int64_t begun = clock_now();

			if (last[n] / 2 > shortest)
				continue;
			loop->zero(at, PIECE);
			at += PIECE;
			*done += PIECE;
			last[n] = clock_now() - begun;
			if (last[n] >= shortest)
				continue;
			shortest = last[n];
			best = loop;
		}
	}
	return best;
}

bool bytes_are_zero(const void *bytes, uint64_t len)
{
	const __m128i *at = bytes, *end = at + len / LINE * (LINE / sizeof(*at));
	__m128i seen = _mm_setzero_si128();

	/* a line at a time, as a compiler doesn't by itself at -O2 */
	for (; at < end; at += 4)
		seen = _mm_or_si128(seen, _mm_or_si128(_mm_or_si128(_mm_load_si128(at), _mm_load_si128(at + 1)),
						       _mm_or_si128(_mm_load_si128(at + 2), _mm_load_si128(at + 3))));
	return _mm_movemask_epi8(_mm_cmpeq_epi8(seen, _mm_setzero_si128())) == 0xffff;
}

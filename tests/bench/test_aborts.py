#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What BENCH=aborts makes of what was measured."""

import sys
import unittest

sys.dont_write_bytecode = True
import aborts  # noqa: E402


def abort(stopped, told=2e6, cleared=3e6, gone=4e6):
    return {"stopped": stopped, "told": told, "cleared": cleared, "gone": gone}


class Aborts(unittest.TestCase):
    def test_histogram_has_each_value_once(self):
        lines = aborts.histogram([1e6, 1.1e6, 4e6], aborts.milliseconds).splitlines()
        self.assertEqual(sum(int(line.split()[-1]) for line in lines), 3)
        self.assertIn("#" * aborts.BAR, lines[0])
        self.assertEqual(len(lines), aborts.bucket(4e6) - aborts.bucket(1e6) + 1)

    def test_a_value_is_in_the_bucket_that_begins_at_or_below_it(self):
        for value in (1, 3, 5e5, 7e9):
            low = 2 ** (aborts.bucket(value) / aborts.BUCKETS_A_DOUBLING)
            self.assertLessEqual(low, value)
            self.assertLess(value, low * 2 ** (1 / aborts.BUCKETS_A_DOUBLING))

    def test_report_has_both_hosts_and_whose_exits_the_others_had(self):
        found = {"time": {"aborts": [abort(1e6), abort(2e6)], "neighbours": {"neighbour-0": [0, 7]}},
                 "instructions": {"aborts": [abort(5e6)], "neighbours": {}}}
        text = aborts.report(found)
        self.assertIn("| 1.0 ms | 1.5 ms | 2.0 ms | 2.0 ms |", text)
        self.assertIn("5.00 M", text)
        self.assertIn("0 by the guest, 7 by the host", text)
        self.assertEqual(aborts.failures(found), [])

    def test_an_exit_of_a_neighbours_own_is_a_failure(self):
        self.assertEqual(aborts.failures({"time": {"neighbours": {"a": [1, 5], "b": [0, 5]}}}), ["a: 1 exits of its own"])


if __name__ == "__main__":
    unittest.main()

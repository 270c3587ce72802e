# SPDX-License-Identifier: Apache-2.0
"""
One value that another tool read in a capture: (source, capture, what, ends, value). ends is None where
the source speaks of the whole capture, else (protocol number, (address, port), (address, port)).
"""
import collections

from flows import address

Row = collections.namedtuple("Row", "source capture what ends value")


def pair(proto, a, a_port, b, b_port):
    return proto, (address(a), int(a_port)), (address(b), int(b_port))

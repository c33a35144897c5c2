"""Replay: what a plan would have answered to the timed requests, and when. Nothing is measured.

In a round every variant was asked each of the round's samples, at the same load and, the order
being random, at moments of the same few seconds. A plan is replayed on such a row of M latencies
as if it had asked its variants for that one request. This assumes

- that a latency does not depend on why a variant is asked: the second stage of a cascade starts
  when the first one's answer has come, and takes as long as it took in that row;
- that the load is counted in requests to variants: a plan that asks two at once (Race, a Rescue
  from `after_s` on) takes two of the profiled places in flight, so the gateway must count both;
- that work which nobody waits for any more still runs to its end, a terminated Race excepted.
"""

from profiler.replay.replayed import Replayed, replay, without_deadline
from profiler.replay.sweep import Sweep, sweep

__all__ = ["Replayed", "Sweep", "replay", "sweep", "without_deadline"]

"""What the figures mean, and where they fall short."""

from profiler.report.content import Section, Terms
from profiler.report.facts import Facts

MEANINGS = (
    (
        "Quality at a deadline",
        "Of all requests, how good the answers were that came in time; a late, failed or refused "
        "answer counts as none and never leaves the denominator (Yang et al., arXiv 2212.13925).",
    ),
    (
        "Round",
        "One pass of timed requests at one load, the variants interleaved at random. What a round "
        "loses to lateness is taken from the quality over all samples, so that the luck of which "
        "samples a round drew does not show.",
    ),
    (
        "Tail quality",
        "What 95 % (99 %) of rounds reach: the lower empirical quantile over rounds. With R rounds "
        "nothing below 1/R can be told from the worst. Where only a few rounds lose anything, and "
        "those much, it lies above the mean.",
    ),
    (
        "Latency",
        "The client's: from just before a request's bytes are sent to just after its answer's "
        "bytes are there. A request without an answer is late at every deadline.",
    ),
    (
        "Device time and cost",
        "Device time is a variant's median latency with nothing else in flight. The cost of a plan "
        "is the device time of all it asks, in seconds, times the price where prices are given.",
    ),
)
NOT_PROMISED = (
    (
        "Other inputs",
        "Promises assume requests that resemble the profile's samples. A drift of the inputs "
        "voids them.",
    ),
    (
        "Other systems, more load",
        "Promises hold on the fingerprinted system and up to the profiled requests in flight. "
        "Beyond, the gateway answers best effort and says so.",
    ),
)
# Measured by the simulations of `make test-statistics`; docs/statistics.md has them in full.
SHORTFALLS = (
    (
        "Lateness in bursts",
        "The bound of what is lost to lateness uses an effective sample size that is itself an "
        "estimate, and no profile tells of slow rounds that it did not see. Simulated at a nominal "
        "5 %, it was too low in 4 % of profiles of 80 rounds where 5 % of rounds are slow, but in "
        "20 % where 2 % are, and in 23 % of profiles of 30 rounds where 5 % are: as often as no "
        "slow round was seen.",
    ),
    (
        "Latency in an open loop",
        "Latency under load is fitted to closed and open loop together, and holds out of sample "
        "on both together. Of requests that arrived unasked more are slower than told: 12 % "
        "instead of 5 % at the 95 % quantile, as measured on two cores.",
    ),
)


def footnotes(_: Facts) -> Section:
    """The same on every page: definitions, limits, and known shortfalls of coverage."""
    return Section(
        "notes",
        "What the figures mean",
        "",
        [Terms((*MEANINGS, *NOT_PROMISED, *SHORTFALLS))],
    )

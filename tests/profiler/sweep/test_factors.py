"""Factors as they are given on the command line."""

import pytest

from profiler.sweep.factors import Conditions, Neighbour, conditions, parse
from tailq.errors import BadRequest


def test_factors_are_read_in_order_with_the_variants_first() -> None:
    """Levels stay as they were written."""
    factors = parse(["concurrency=1, 2,4", "delay-ms=0,0.5"], ["a", "b"])
    assert list(factors.items()) == [
        ("variant", ("a", "b")),
        ("concurrency", ("1", "2", "4")),
        ("delay-ms", ("0", "0.5")),
    ]


def test_variants_may_be_a_factor_like_others() -> None:
    """--factor variant=a,b is the same as --models a,b."""
    assert parse(["batch=1,8", "variant=a,b"], []) == parse(["batch=1,8"], ["a", "b"])


def test_a_cell_says_what_is_wanted_of_the_system() -> None:
    """Times are in seconds; a neighbour may have several requests in flight."""
    levels = {
        "variant": "a",
        "concurrency": "4",
        "batch": "8",
        "delay-ms": "2.5",
        "jitter-ms": "0",
        "neighbour": "large:3",
        "instances": "2",
        "cpus": "1",
    }
    assert conditions(levels) == Conditions(
        variant="a",
        concurrency=4,
        batch=8,
        delay_s=0.0025,
        jitter_s=0.0,
        neighbour=Neighbour("large", 3),
        instances=2,
        cpus=1,
    )
    assert conditions({"variant": "a", "neighbour": "none"}) == Conditions("a")
    assert conditions({"variant": "a", "neighbour": "b"}).neighbour == Neighbour("b", 1)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("colour=red,blue", "there is no factor 'colour', only variant, concurrency"),
        ("concurrency", "give its levels, like concurrency=a,b"),
        ("concurrency=,", "give its levels"),
        ("concurrency=0,1", "'0' is not a whole number from 1"),
        ("batch=1,1.5", "'1.5' is not a whole number"),
        ("delay-ms=-1,2", "'-1' is not milliseconds, from 0"),
        ("delay-ms=0,inf", "'inf' is not milliseconds"),
        ("jitter-ms=0,nan", "'nan' is not milliseconds"),
        ("neighbour=none,large:0", "'large:0' is not none, MODEL or MODEL:REQUESTS_IN_FLIGHT"),
        ("delay-ms=5,5.0", "the level 5.0 is given twice"),
        ("variant=c", "variant is given twice (--models gives its levels)"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_remedy(option: str, said: str) -> None:
    """The message names the option."""
    with pytest.raises(BadRequest) as refused:
        parse([option], ["a", "b"])
    assert f"--factor {option}" in str(refused.value)
    assert said in str(refused.value)


def test_a_factor_given_twice_is_refused() -> None:
    """Nobody could tell which of the two should hold."""
    with pytest.raises(BadRequest, match="batch is given twice"):
        parse(["batch=1,2", "batch=4"], ["a"])


def test_something_must_be_swept() -> None:
    """At least one model, and one factor of two levels."""
    with pytest.raises(BadRequest, match="no model is named"):
        parse(["batch=1,2"], [])
    with pytest.raises(BadRequest, match="nothing to sweep"):
        parse(["batch=2"], ["a"])

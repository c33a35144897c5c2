"""What workers have in flight, seen by all of them."""

import random

from gateway.workers.board import CELLS, Board, SharedAccount


def test_each_account_sees_the_others() -> None:
    """Requests and seconds in flight, but for its own, through another mapping of the memory."""
    board = Board.create(3)
    seen = Board(board.descriptor, 3)
    accounts = [SharedAccount(each, n) for n, each in enumerate((board, seen, board))]
    for account in accounts:
        account.service_s.update({"small": 0.5, "large": 2.0})
    choose = random.Random(1)
    held: list[tuple[SharedAccount, str, float]] = []
    for _ in range(300):
        if held and choose.random() < 0.5:
            account, variant, worth_s = held.pop(choose.randrange(len(held)))
            account.remove(variant, worth_s)
        else:
            account, variant = choose.choice(accounts), choose.choice(("small", "large"))
            held.append((account, variant, account.add(variant)))
        for account in accounts:
            others = [(name, worth) for who, name, worth in held if who is not account]
            assert account.others() == (len(others), sum(worth for _, worth in others))


def test_a_worker_that_ended_holds_nothing() -> None:
    """Its slot is cleared, the others' are not."""
    board = Board.create(2)
    for number in range(2):
        SharedAccount(board, number).add("small")
    board.clear(1)
    assert board.others(0) == (0, 0.0)
    assert board.others(1) == (1, 0.0)


def test_cells_are_apart_from_slots_and_from_each_other() -> None:
    """What is written to one is in no other."""
    board = Board.create(2)
    board.cell(0)[0] = 1.5
    board.cell(CELLS - 1)[0] = 2.5
    assert board.cell(1)[0] == 0.0
    assert board.others(5) == (0, 0.0)
    assert Board(board.descriptor, 2).cell(CELLS - 1)[0] == 2.5

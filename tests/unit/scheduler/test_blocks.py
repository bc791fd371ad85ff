"""The kernel of every choice: whatever was written, the best row is the first of the highest."""

import random

import numpy as np
import pytest

from computekit.scheduler.blocks import NEVER, BlockScores


def highest(scores: list[float]) -> int | None:
    best = max(scores, default=NEVER)
    return None if best == NEVER else scores.index(best)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 17, 400, 20_000])
def test_the_best_row_is_the_first_of_the_highest_after_any_writes(count: int) -> None:
    source = random.Random(count)
    scores = [float(source.randint(0, 9)) if source.random() < 0.9 else NEVER for _ in range(count)]
    blocks = BlockScores()
    blocks.fill(np.array(scores))
    assert blocks.best() == highest(scores)
    if not count:
        return
    for turn in range(120):
        some = source.sample(range(count), min(count, source.choice((1, 2, 5, 40, 300))))
        new = [source.choice((NEVER, float(source.randint(0, 9)))) for _ in some]
        for row, score in zip(some, new, strict=True):
            scores[row] = score
        if turn % 3 == 0:
            blocks.write_few(some, new)
        elif turn % 3 == 1:
            blocks.write(np.array(some, dtype=np.intp), np.array(new))
        else:
            for row in some:
                scores[row] = NEVER
                blocks.strike(row)
        assert blocks.best() == highest(scores)
        assert blocks.score(some[0]) == scores[some[0]]
    assert blocks.rows().tolist() == [row for row, score in enumerate(scores) if score != NEVER]


def test_a_ranking_gives_every_row_once_best_first_and_leaves_the_scores() -> None:
    source = random.Random(4)
    scores = [float(source.randint(0, 5)) if source.random() < 0.8 else NEVER for _ in range(300)]
    blocks = BlockScores()
    blocks.fill(np.array(scores))
    blocks.write_few([7, 8], [NEVER, 5.0])
    scores[7], scores[8] = NEVER, 5.0
    without = {row for row in range(300) if row % 7 == 0}
    wanted = sorted(
        (row for row in range(300) if scores[row] != NEVER and row not in without),
        key=lambda row: (-scores[row], row),
    )
    assert list(blocks.ranking(without)) == wanted
    assert blocks.best() == highest(scores)
    assert list(blocks.ranking(range(300))) == []


def test_a_score_that_is_no_number_is_the_worst_but_no_refusal() -> None:
    nan = float("nan")
    blocks = BlockScores()
    blocks.fill(np.array([nan, -3.0, NEVER, nan]))
    assert list(blocks.ranking()) == [1, 0, 3]
    blocks.write_few([1], [nan])
    assert blocks.best() == 0
    blocks.write(np.array([0, 1], dtype=np.intp), np.array([nan, 2.0]))
    assert list(blocks.ranking()) == [1, 0, 3]

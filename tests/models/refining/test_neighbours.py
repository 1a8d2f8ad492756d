"""Who is who in the next frame, and who is in whose window."""

import numpy as np

from models.refining.neighbours import crowded, same_emitter, same_frame_distance


def rows(*where: tuple[int, float, float]) -> tuple[np.ndarray, np.ndarray]:
    frame, x, y = zip(*where, strict=True)
    return np.array(frame), np.column_stack((x, y)).astype(float)


def test_the_same_emitter_is_linked_over_neighbouring_frames_only() -> None:
    frame, xy = rows((0, 5, 5), (1, 5.1, 5), (2, 5, 5.1), (4, 5, 5), (2, 20, 20))
    links = same_emitter(frame, xy, np.full((5, 2), 0.1))
    assert links.tolist() == [[-1, 0, 1], [0, 1, 2], [1, 2, -1], [-1, 3, -1], [-1, 4, -1]]


def test_only_mutual_nearest_within_their_uncertainties_are_linked() -> None:
    frame, xy = rows((0, 5, 5), (0, 5.4, 5), (1, 5.1, 5), (0, 30, 30), (1, 31, 30))
    links = same_emitter(frame, xy, np.full((5, 2), 0.05))
    assert links[:, 2].tolist() == [2, -1, -1, -1, -1]
    far = same_emitter(frame, xy, np.full((5, 2), 0.5))
    assert far[3, 2] == 4


def test_crowds_are_told_for_each_frame() -> None:
    frame, xy = rows((0, 5, 5), (1, 5, 5), (1, 9, 5), (1, 40, 40))
    links = same_emitter(frame, xy, np.full((4, 2), 0.1))
    assert crowded(frame, xy, links, 13).tolist() == [
        [False, False, True], [False, True, False], [False, True, False], [False, False, False]
    ]  # fmt: skip


def test_distances_are_within_a_frame_and_nobody_is_infinitely_far() -> None:
    frame, xy = rows((0, 0, 0), (0, 3, 4), (1, 0, 0))
    assert same_frame_distance(frame, xy).tolist() == [5, 5, np.inf]
    assert same_frame_distance(frame[:1], xy[:1]).tolist() == [np.inf]
    assert len(same_emitter(frame[:0], xy[:0], xy[:0])) == 0

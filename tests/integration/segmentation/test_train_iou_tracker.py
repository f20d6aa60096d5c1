"""Counts of a training: what they are, in windows, over processes, and through a checkpoint."""

import io

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp
from torch._subclasses.fake_tensor import FakeTensorMode

from noisyseg.integration.segmentation.train_iou_tracker import TrainIoUTracker
from noisyseg.ops import confusion

K = 3


def batch(seed, dtype=torch.long):
    generator = torch.Generator().manual_seed(seed)
    predicted = torch.randint(0, K, (2, 7, 5), generator=generator)
    maps = [torch.randint(0, K + 1, (2, 7, 5), generator=generator) for _ in range(2)]
    return predicted, *(torch.where(pixels == K, 255, pixels).to(dtype) for pixels in maps)


def by_hand(predicted, labels, clean):
    counts = [np.zeros((K + 1, K), np.int64), np.zeros((K + 1, K), np.int64), np.zeros((K, 3), np.int64)]
    for p, y, c in zip(*(pixels.flatten().tolist() for pixels in (predicted, labels, clean)), strict=True):
        counts[0][min(y, K), p] += 1
        counts[1][min(c, K), p] += 1
        if y != 255 and c != 255 and y != c:
            counts[2][c, 0 if p == c else 1 if p == y else 2] += 1
    return counts


def assert_windows(found, expected):
    assert [window[0] for window in found] == [window[0] for window in expected]
    for ours, theirs in zip(found, expected, strict=True):
        for counts, others in zip(ours[1:], theirs[1:], strict=True):
            assert (counts is None) == (others is None)
            assert counts is None or (counts.dtype == np.int64 and (counts == others).all())


@pytest.mark.parametrize("dtype", [torch.long, torch.uint8])
def test_windows_hold_what_a_loop_over_pixels_counts(dtype):
    tracker = TrainIoUTracker(K, clean=True)
    expected = []
    for window in range(3):
        total = 0
        for seed in (2 * window, 2 * window + 1):
            maps = batch(seed, dtype)
            tracker.update(*maps)
            total = np.array(by_hand(*maps), dtype=object) + total
        tracker.close_window(window + 0.5)
        expected.append((window + 0.5, *(counts.astype(np.int64) for counts in total)))
    found = tracker.drain()
    assert_windows(found, expected)
    assert found[0][1].sum() == found[0][2].sum() == 2 * 2 * 7 * 5
    assert tracker.drain() == []


def test_without_clean_labels_there_are_only_counts():
    tracker = TrainIoUTracker(K)
    predicted, labels, clean = batch(0)
    tracker.update(predicted, labels)
    tracker.close_window(2)
    assert_windows(tracker.drain(), [(2.0, by_hand(predicted, labels, clean)[0], None, None)])


def test_halves_of_a_window_add_up_to_it():
    whole, halves = TrainIoUTracker(K, clean=True), TrainIoUTracker(K, clean=True)
    for seed in range(4):
        for tracker in (whole, halves):
            tracker.update(*batch(seed))
        if seed == 1:
            halves.close_window(0.25)
    for tracker in (whole, halves):
        tracker.close_window(0.75)
    first, second = halves.drain()
    for total, *parts in zip(whole.drain()[0][1:], first[1:], second[1:], strict=True):
        assert (total == sum(parts)).all()


def test_the_iou_of_the_counts_is_that_of_masks():
    tracker = TrainIoUTracker(K)
    predicted, labels, _ = batch(0)
    tracker.update(predicted, labels)
    tracker.close_window(0)
    counts = tracker.drain()[0][1]
    known = labels != 255
    for c in range(K):
        both = ((predicted == c) & (labels == c)).sum().item()
        either = (((predicted == c) | (labels == c)) & known).sum().item()
        assert counts[c, c] == both
        assert counts[:K, c].sum() + counts[c].sum() - counts[c, c] == either


def test_counts_go_through_a_checkpoint_and_not_through_the_state_of_the_model():
    tracker, resumed = TrainIoUTracker(K, clean=True), TrainIoUTracker(K, clean=True)
    tracker.update(*batch(0))
    tracker.close_window(0.5)
    tracker.update(*batch(1))
    assert list(tracker.state_dict()) == list(tracker.buffers()) == []
    tracker.collect()
    file = io.BytesIO()
    torch.save(tracker.state(), file)
    file.seek(0)
    resumed.update(*batch(9))
    resumed.load_state(torch.load(file, weights_only=True))
    for one in (tracker, resumed):
        one.update(*batch(2))
        one.close_window(1.5)
    assert_windows(resumed.drain(), tracker.drain())


@pytest.mark.parametrize("clean", [False, True])
def test_the_host_never_waits_for_the_device(clean, monkeypatch):
    """On tensors without values, whatever brings a value to the host raises."""
    monkeypatch.setattr(confusion, "require", lambda *_: None)  # the checks of values wait on the CPU alone
    with FakeTensorMode(allow_non_fake_inputs=True):
        tracker = TrainIoUTracker(K, clean=clean)
        maps = [torch.randint(0, K, (2, 7, 5)) for _ in range(3 if clean else 2)]
        tracker.update(*maps)
        tracker.close_window(0.5)
        tracker.update(*maps)
        assert tracker._counts.shape == tracker._closed[0].shape


def test_what_does_not_fit_raises():
    predicted, labels, clean = batch(0)
    with pytest.raises(ValueError, match="compare: expected one of given, current, not 'both'"):
        TrainIoUTracker(K, compare="both")
    with pytest.raises(ValueError, match="expected none for a tracker with clean=False, got clean labels"):
        TrainIoUTracker(K).update(predicted, labels, clean)
    with pytest.raises(ValueError, match="expected clean labels for a tracker with clean=True, got none"):
        TrainIoUTracker(K, clean=True).update(predicted, labels)
    with pytest.raises(ValueError, match="expected one shape"):
        TrainIoUTracker(K).update(predicted, labels[:1])
    with pytest.raises(ValueError, match="num_classes: the saved tracker has 3, this one 4"):
        TrainIoUTracker(4).load_state(TrainIoUTracker(K).state())


def count_in_one_of_two(rank, folder):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"file://{folder}/store", world_size=2, rank=rank)
    tracker = TrainIoUTracker(K, clean=True)
    for window in range(2):
        tracker.update(*batch(2 * window + rank))
        tracker.close_window(window)
    drained = tracker.drain()
    for window in range(2):  # in the middle of the second window a checkpoint is written, and loaded by both
        tracker.update(*batch(4 + 2 * window + rank))
        if window == 0:
            tracker.close_window(window + 2)
    tracker.collect()
    if rank == 0:
        torch.save(tracker.state(), f"{folder}/state.pth")
    torch.distributed.barrier()
    resumed = TrainIoUTracker(K, clean=True)
    resumed.load_state(torch.load(f"{folder}/state.pth", weights_only=True))
    for one in (tracker, resumed):
        one.update(*batch(8 + rank))
        one.close_window(3)
    torch.save([drained, tracker.drain(), resumed.drain()], f"{folder}/{rank}.pth")
    torch.distributed.destroy_process_group()


def test_two_processes_count_what_one_counts(tmp_path):
    mp.spawn(count_in_one_of_two, (str(tmp_path),), nprocs=2)
    alone = TrainIoUTracker(K, clean=True)
    for window, seeds in enumerate([(0, 1), (2, 3), (4, 5), (6, 7, 8, 9)]):
        for seed in seeds:
            alone.update(*batch(seed))
        alone.close_window(window)
    expected = alone.drain()
    for rank in range(2):
        drained, went_on, resumed = torch.load(tmp_path / f"{rank}.pth", weights_only=False)
        assert_windows(drained, expected[:2])
        assert_windows(went_on, expected[2:])
        assert_windows(resumed, expected[2:])

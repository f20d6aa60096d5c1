import pytest

from noisyseg.integration.round_schedule import RoundSchedule


def test_rounds_end_after_the_first_length_and_then_in_equal_steps():
    schedule = RoundSchedule(rounds=4, first=5, length=3)
    assert {steps: schedule.ended(steps) for steps in range(1, 30) if schedule.ended(steps) is not None} == {
        5: 0,
        8: 1,
        11: 2,
    }


def test_epochs_become_iterations():
    assert RoundSchedule.iterations_of_an_epoch(samples=11, batch_size=2, processes=2) == 3
    assert RoundSchedule(3, 2, 1).times(3) == RoundSchedule(3, 6, 3)


def test_a_training_that_is_too_short_is_told():
    assert RoundSchedule(3, 2, 2).shortfall(5) is None
    assert RoundSchedule(3, 2, 2).shortfall(4) == "3 rounds: the last one would begin after 4 steps, of 4 in all"


@pytest.mark.parametrize("numbers", [(1, 1, 1), (2, 0, 1), (2, 1, 0)])
def test_lengths_are_checked(numbers):
    with pytest.raises(ValueError, match="expected at least 2 rounds of at least 1 step"):
        RoundSchedule(*numbers)
